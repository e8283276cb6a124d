import pg from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';
import { runQueueMigrations } from '../queue/postgres-queue.js';

/**
 * Brings a database to the newest schema: roles and tables by our migrations, the queue's own by BullMQ's. Safe to
 * repeat and to run twice at once (an advisory lock makes the second wait).
 * @param url connection URL of the tables' owner
 * @returns names of the migrations that ran
 */
export async function migrateDatabase(url: string, migrations: (new () => MigrationInterface)[]): Promise<string[]> {
  const lock = new pg.Client({ connectionString: url });
  await lock.connect();
  const source = new DataSource({
    type: 'postgres',
    url,
    migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    poolSize: 2,
  });
  try {
    await lock.query(`SELECT pg_advisory_lock(hashtext('bongsu:migrate'))`);
    await source.initialize();
    const ran = await source.runMigrations();
    await grantRolesToOwner(lock);
    await runQueueMigrations(url);
    return ran.map((m) => m.name);
  } finally {
    if (source.isInitialized) await source.destroy();
    await lock.end();
  }
}

/** Where the owner is also the processes' login, it must be able to become the roles that own nothing. */
async function grantRolesToOwner(client: pg.Client): Promise<void> {
  const { rows } = await client.query(`SELECT rolsuper FROM pg_roles WHERE rolname = current_user`);
  if (rows[0]?.rolsuper === true) return;
  // Refused where somebody else made the roles and keeps them: then that somebody grants them, and a boot says so.
  await client.query('GRANT bongsu_hub, bongsu_worker, bongsu_queue TO CURRENT_USER').catch(() => undefined);
}

/**
 * Makes (or keeps) the login that processes use on an embedded server: it owns nothing and may only become the roles
 * that own nothing.
 * @returns the connection URL of that login
 */
export async function ensureLogin(ownerUrl: string, password: string): Promise<string> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(`SELECT pg_advisory_lock(hashtext('bongsu:login'))`);
    const { rowCount } = await client.query(`SELECT 1 FROM pg_roles WHERE rolname = 'bongsu'`);
    const verb = rowCount ? 'ALTER' : 'CREATE';
    await client.query(`${verb} ROLE bongsu LOGIN NOINHERIT NOSUPERUSER PASSWORD ${client.escapeLiteral(password)}`);
    await client.query('GRANT bongsu_hub, bongsu_worker, bongsu_queue TO bongsu');
  } finally {
    await client.end();
  }
  const url = new URL(ownerUrl);
  url.username = 'bongsu';
  url.password = password;
  return url.toString();
}
