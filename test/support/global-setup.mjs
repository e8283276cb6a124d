import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { URL } from 'node:url';

/** One embedded PostgreSQL for the whole run, with a migrated database that every test file copies. */
export default async function globalSetup() {
  const { startEmbeddedPostgres, migrateDatabase, ensureLogin } =
    await import('../../dist/libs/infrastructure/src/database/index.js');
  const { makeRunFolder } = await import('../../dist/apps/cli/src/stack/places.js');
  const { MIGRATIONS } = await import('../../dist/migrations/index.js');
  const { default: pg } = await import('pg');
  const folder = await makeRunFolder('test');
  const server = await startEmbeddedPostgres(join(folder.path, 'postgres'), false);
  const stop = async () => {
    await server.stop();
    folder.remove();
  };
  globalThis.__bongsuTestServer = { stop };
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])
    process.once(signal, () => void stop().finally(() => process.exit(code)));

  const client = new pg.Client({ connectionString: server.ownerUrl });
  await client.connect();
  await client.query('CREATE DATABASE bongsu_template');
  await client.end();
  const template = Object.assign(new URL(server.ownerUrl), { pathname: '/bongsu_template' }).toString();
  await migrateDatabase(template, MIGRATIONS);
  process.env.TEST_OWNER_URL = server.ownerUrl;
  process.env.TEST_LOGIN_URL = await ensureLogin(server.ownerUrl, randomBytes(16).toString('hex'));
}
