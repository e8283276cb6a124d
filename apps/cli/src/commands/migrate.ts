import { ConfigReader } from '@app/infrastructure/config';
import { MIGRATE, prepareDatabase } from '../stack/database.js';
import { Child } from '../stack/child.js';
import { envWith } from '../stack/env.js';
import { ensureIdentities, refuseInProduction } from '../stack/identities.js';
import { homePlaces } from '../stack/places.js';
import { join } from 'node:path';

/** `npm run migrate`: brings the database to the newest schema; without `DATABASE_URL` the one that `npm start` embeds. */
export async function migrate(): Promise<void> {
  const reader = new ConfigReader(process.env);
  const url = reader.databaseUrl('MIGRATION_DATABASE_URL') ?? reader.databaseUrl('DATABASE_URL');
  if (url) {
    const env = envWith(process.env, { MIGRATION_DATABASE_URL: url });
    process.stdout.write(await Child.run('migrate', MIGRATE, [], env));
    return;
  }
  refuseInProduction(process.env);
  const { folder, postgresFolder } = homePlaces(process.cwd());
  const { databasePassword } = ensureIdentities(join(folder, 'keys'));
  const database = await prepareDatabase(undefined, postgresFolder, databasePassword, process.env);
  await database.server?.stop();
  process.stdout.write('The embedded database is up to date.\n');
}
