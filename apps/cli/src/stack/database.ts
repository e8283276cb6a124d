import pg from 'pg';
import { ConfigReader } from '@app/infrastructure/config';
import { ensureLogin, startEmbeddedPostgres, type EmbeddedServer } from '@app/infrastructure/database';
import { Child } from './child.js';
import { envWith } from './env.js';

export const MIGRATE = 'apps/worker/src/migrate.js';

/** A migrated database, ready for processes to log in. */
export interface PreparedDatabase {
  loginUrl: string;
  /** The embedded server, where it is one. */
  server: EmbeddedServer | null;
}

/**
 * Migrates the given database, or starts the embedded one and migrates that.
 * @param url of the tables' owner, who is also the processes' login; undefined for the embedded server
 * @param onServer told of the embedded server as soon as it runs, so that it can be stopped whatever comes next
 */
export async function prepareDatabase(
  url: string | undefined,
  postgresFolder: string,
  password: string,
  env: NodeJS.ProcessEnv,
  onServer: (server: EmbeddedServer) => void = () => undefined,
): Promise<PreparedDatabase> {
  const migrate = (owner: string) => Child.run('migrate', MIGRATE, [], envWith(env, { MIGRATION_DATABASE_URL: owner }));
  if (url) {
    await migrate(new ConfigReader(env).secret('MIGRATION_DATABASE_URL') ?? url);
    return { loginUrl: url, server: null };
  }
  const server = await startEmbeddedPostgres(postgresFolder);
  onServer(server);
  const ownerUrl = await ensureDatabase(server.ownerUrl, 'bongsu');
  await migrate(ownerUrl);
  return { loginUrl: await ensureLogin(ownerUrl, password), server };
}

async function ensureDatabase(adminUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (!rowCount) await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  return Object.assign(new URL(adminUrl), { pathname: `/${name}` }).toString();
}
