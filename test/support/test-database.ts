import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { TypeOrmDatabase, type Database } from '@app/infrastructure/database';

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
  const hub = new TypeOrmDatabase({ url, role: 'bongsu_hub', poolSize: 3, entities: [] });
  const worker = new TypeOrmDatabase({ url, role: 'bongsu_worker', poolSize: 3, entities: [] });
  return {
    hub,
    worker,
    url,
    ownerUrl,
    asOwner: async <T>(sql: string, values?: unknown[]) => (await run(ownerUrl, sql, values)) as T[],
    close: async () => {
      await hub.close();
      await worker.close();
      await run(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function run(url: string, sql: string, values: unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}
