import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One embedded PostgreSQL for the whole run, with a migrated database that every test file copies. */
export default async function globalSetup() {
  const { startEmbeddedPostgres, migrateDatabase, ensureLogin } = await import(
    '../../dist/libs/infrastructure/src/database/index.js'
  );
  const { MIGRATIONS } = await import('../../dist/migrations/index.js');
  const folder = join(tmpdir(), `bongsu-test-${process.getuid?.() ?? 0}-${process.pid}`, 'postgres');
  const server = await startEmbeddedPostgres(folder, false);
  const admin = new URL(server.ownerUrl);
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: server.ownerUrl });
  await client.connect();
  await client.query('CREATE DATABASE bongsu_template');
  await client.end();
  const template = Object.assign(new URL(admin), { pathname: '/bongsu_template' }).toString();
  await migrateDatabase(template, MIGRATIONS);
  process.env.TEST_OWNER_URL = server.ownerUrl;
  process.env.TEST_LOGIN_URL = await ensureLogin(server.ownerUrl, randomBytes(16).toString('hex'));
  globalThis.__bongsuTestServer = {
    stop: async () => {
      await server.stop();
      rmSync(join(folder, '..'), { recursive: true, force: true });
    },
  };
}
