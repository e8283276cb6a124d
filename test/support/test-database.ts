import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { AUDIT_ENTITIES } from '@app/audit';
import { IDENTITY_ENTITIES } from '@app/identity';
import { TypeOrmDatabase, type Database } from '@app/infrastructure/database';
import { KEYS_ENTITIES } from '@app/keys';
import { OutcomeEntity, RecommendationEntity } from '@app/recommendations';
import { BatchEntity } from '@app/signals';
import { STANDARD_ENTITIES } from '@app/standard';

const ENTITIES = [
  ...AUDIT_ENTITIES,
  ...IDENTITY_ENTITIES,
  ...KEYS_ENTITIES,
  ...STANDARD_ENTITIES,
  BatchEntity,
  OutcomeEntity,
  RecommendationEntity,
];

/** A database of its own for one test file, with every migration run. */
export interface TestDatabase {
  hub: Database;
  worker: Database;
  /** URL of the login that processes use; and of the owner of the tables. */
  url: string;
  ownerUrl: string;
  /** Runs SQL as the owner, outside row-level security. */
  asOwner<T = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

/** Copies the migrated template that the test run prepared (global-setup.mjs). */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = process.env['TEST_OWNER_URL'];
  const loginUrl = process.env['TEST_LOGIN_URL'];
  if (!adminUrl || !loginUrl) throw new Error('Run tests with `npm test`: it prepares the database.');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await run(adminUrl, `CREATE DATABASE ${name} TEMPLATE bongsu_template`);
  const at = (base: string) => Object.assign(new URL(base), { pathname: `/${name}` }).toString();
  const url = at(loginUrl);
  const ownerUrl = at(adminUrl);
  const hub = new TypeOrmDatabase({ url, role: 'bongsu_hub', poolSize: 3, entities: ENTITIES });
  const worker = new TypeOrmDatabase({ url, role: 'bongsu_worker', poolSize: 3, entities: ENTITIES });
  const owner = new pg.Pool({ connectionString: ownerUrl, max: 2 });
  owner.on('error', () => undefined);
  return {
    hub,
    worker,
    url,
    ownerUrl,
    asOwner: async <T>(sql: string, values: unknown[] = []) => (await owner.query(sql, values)).rows as T[],
    close: async () => {
      await hub.close();
      await worker.close();
      await owner.end();
      await run(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
