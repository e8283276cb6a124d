import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { migrateDatabase } from '@app/infrastructure/database';
import { MIGRATIONS } from '../migrations/index.js';

/** The last migration of the first version that others may have data in. */
const FIRST_VERSION = 'NarrowerWrites1790000000013';

/** Rows as the first version wrote them. */
const ROWS = [
  `INSERT INTO members (name, jwk, created_at) VALUES ('upbit', '{"kty":"EC"}', now())`,
  `INSERT INTO tokens (kind, member_id, token) VALUES (0, 1, sha256('key'))`,
  `INSERT INTO batches (member_id, batch_id, sequence, epoch, purpose, legal_basis, received_at, content_hash, payload,
     accepted, observations, rejected, rejections, state)
   VALUES (1, gen_random_uuid(), 1, 1, 'p', 'l', now(), 'h', 'p', 1, 1, 0, '[]', 'folded')`,
  `SELECT ensure_observation_day(20605)`,
  `INSERT INTO observations VALUES (20605, 1, 1, 1, 1, 494520, 0, 0, 1, 0, 0, 1, 0, 1, 1)`,
  `INSERT INTO touched (key_id, day) VALUES (1, 1)`,
  `INSERT INTO to_assess VALUES (1)`,
  `INSERT INTO key_states (key_id, member_id, rung, since, probability, assessed_at, policy_version, assessment)
   SELECT 1, 1, 1, 1, 0.5, 1, version, '{}' FROM standards`,
  `INSERT INTO recommendations (id, member_id, key_id, key_token, rung, probability, policy_version, reasons, explanation,
     customer_notice, issued_at, deadline, state)
   VALUES (gen_random_uuid(), 1, 1, sha256('key'), 1, 0.5, '1.0.0', '[]', '{}', '{}', now(), now(), 'superseded')`,
  `INSERT INTO audit_log (at, actor, action, subject, detail) VALUES (now(), 'staff:kim', 'member.added', 'member:upbit', '{"a":1}')`,
  `INSERT INTO signing_keys (kid, alg, public_jwk, created_at) VALUES ('k1', 'ES256', '{}', now())`,
];
const TABLES = [
  'members',
  'tokens',
  'batches',
  'observations',
  'touched',
  'to_assess',
  'key_states',
  'recommendations',
];

describe('a database of the first version', () => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Pool({ connectionString: process.env['TEST_OWNER_URL']!, max: 1 });
  const url = Object.assign(new URL(process.env['TEST_OWNER_URL']!), { pathname: `/${name}` }).toString();
  const owner = new pg.Pool({ connectionString: url, max: 1 });

  // The database goes at the end, whoever is still taking leave of it.
  for (const pool of [admin, owner]) pool.on('error', () => undefined);
  const names = MIGRATIONS.map((migration) => migration.name);
  const later = names.slice(names.indexOf(FIRST_VERSION) + 1);
  const counts = async () => {
    const found: Record<string, number> = {};
    for (const table of [...TABLES, 'audit_log', 'signing_keys'])
      found[table] = Number((await owner.query(`SELECT count(*) AS n FROM ${table}`)).rows[0].n);
    return found;
  };

  beforeAll(async () => {
    await admin.query(`CREATE DATABASE ${name}`);
    await migrateDatabase(url, MIGRATIONS.slice(0, names.indexOf(FIRST_VERSION) + 1));
    for (const row of ROWS) await owner.query(row);
  });
  afterAll(async () => {
    await owner.end();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });

  it('is brought to the newest with every row, and again without doing anything', async () => {
    const before = await counts();
    expect(await migrateDatabase(url, MIGRATIONS)).toEqual(later);
    expect(await counts()).toEqual(before);
    expect(await migrateDatabase(url, MIGRATIONS)).toEqual([]);
  });

  it('goes back as far with its rows, and forward again', async () => {
    const before = await counts();
    const source = new DataSource({ type: 'postgres', url, migrations: MIGRATIONS, migrationsTableName: 'migrations' });
    await source.initialize();
    try {
      for (let i = 0; i < later.length; i++) await source.undoLastMigration();
    } finally {
      await source.destroy();
    }
    expect(await counts()).toEqual(before);
    expect(await migrateDatabase(url, MIGRATIONS)).toEqual(later);
    expect(await counts()).toEqual(before);
  });
});
