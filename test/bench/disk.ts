import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { FakeClock } from '@app/infrastructure/clock';
import { runMain } from '@app/infrastructure/config';
import { ensureLogin, migrateDatabase, startEmbeddedPostgres, TypeOrmDatabase } from '@app/infrastructure/database';
import { Assess } from '@app/assessments';
import { Fold, SubmitSignals } from '@app/signals';
import { makeRunFolder } from '../../apps/cli/src/stack/places.js';
import { ENTITIES } from '../../apps/hub/src/entities.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { addMember, partsOf } from '../support/parts.js';
import { allowEntry, batchId, compactOf, facts, FIRST_HOUR, observation } from '../support/signals.js';
import type { TestDatabase } from '../support/test-database.js';

/** Each key is used in so many hours of each of so many days, from one address with one client. */
const KEYS = 840;
const DAYS = 30;
const HOURS = 12;

/** What so many observations take on disk, by table, once they are folded and assessed. */
await runMain('disk', async () => {
  const folder = await makeRunFolder('disk');
  const server = await startEmbeddedPostgres(join(folder.path, 'postgres'), false);
  try {
    await migrateDatabase(server.ownerUrl, MIGRATIONS);
    const url = await ensureLogin(server.ownerUrl, 'disk');
    const owner = new pg.Pool({ connectionString: server.ownerUrl, max: 2 });
    const made = (role: 'bongsu_hub' | 'bongsu_worker') =>
      new TypeOrmDatabase({ url, role, poolSize: 3, entities: ENTITIES });
    const db = {
      hub: made('bongsu_hub'),
      worker: made('bongsu_worker'),
      asOwner: async (sql: string, values: unknown[] = []) => (await owner.query(sql, values)).rows,
    } as unknown as TestDatabase;
    const clock = new FakeClock((FIRST_HOUR + DAYS * 24) * 3_600_000);
    const [hub, worker] = [await partsOf(db, 'hub', clock), await partsOf(db, 'worker', clock)];
    const member = await addMember(db, 'upbit');
    const keys = Array.from({ length: KEYS }, (_, k) => `key ${k}`);
    const submit = (n: number, rows: Parameters<typeof compactOf>[0]) =>
      hub.get(SubmitSignals).submit(member, {
        batchId: batchId(n),
        sequence: n,
        epoch: 1,
        purpose: 'key_lending_detection',
        legalBasis: 'contract_terms',
        compact: compactOf(rows),
      });
    await submit(1, {
      keyFacts: keys.map((key) => facts(key, `owner of ${key}`)),
      allowEntries: keys.map((key) => allowEntry(key, `home of ${key}`, 0)),
    });
    for (let day = 0; day < DAYS; day++)
      for (let half = 0; half < 2; half++) {
        const hours = Array.from({ length: HOURS / 2 }, (_, h) => day * 24 + half * 12 + h);
        await submit(2 + day * 2 + half, {
          observations: hours.flatMap((hour) => keys.map((key) => observation(key, `home of ${key}`, hour))),
        });
        await worker.get(Fold).foldNext();
        process.stderr.write(`\rday ${day + 1}/${DAYS} `);
      }
    while (await worker.get(Fold).foldNext());
    await worker.get(Assess).drain();
    await owner.query('VACUUM ANALYZE');
    const { rows } = await owner.query<{ name: string; bytes: string }>(
      `SELECT regexp_replace(relname, '_[0-9]+$', '') AS name, sum(pg_total_relation_size(oid)) AS bytes FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' GROUP BY 1 ORDER BY 2 DESC LIMIT 8`,
    );
    const [total] = await db.asOwner<{ observations: string; wal: string; bytes: string }>(
      `SELECT (SELECT count(*) FROM observations) AS observations, pg_database_size(current_database()) AS bytes,
         pg_current_wal_lsn() - '0/0' AS wal`,
    );
    const perMillion = (bytes: string) => Math.round(((Number(bytes) / Number(total!.observations)) * 1e6) / 2 ** 20);
    process.stdout.write(`\n${total!.observations} observations of ${KEYS} keys; MiB per million:\n`);
    for (const { name, bytes } of rows) process.stdout.write(`${name.padEnd(20)} ${perMillion(bytes)}\n`);
    process.stdout.write(`${'whole database'.padEnd(20)} ${perMillion(total!.bytes)}\n`);
    process.stdout.write(`${'log written'.padEnd(20)} ${perMillion(total!.wal)}\n`);
    await Promise.all([db.hub.close(), db.worker.close(), owner.end()]);
  } finally {
    await server.stop();
    rmSync(folder.path, { recursive: true, force: true });
  }
});
