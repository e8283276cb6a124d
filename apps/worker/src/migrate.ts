import { ConfigReader, runMain } from '@app/infrastructure/config';
import { isAway, migrateDatabase } from '@app/infrastructure/database';
import { reasonOf } from '@app/infrastructure/logging';
import { BongsuError } from '@app/protocol';
import { MIGRATIONS } from '../../../migrations/index.js';

await runMain('migrate', async () => {
  const reader = new ConfigReader(process.env);
  const url = reader.databaseUrl('MIGRATION_DATABASE_URL') ?? reader.databaseUrl('DATABASE_URL');
  if (!url)
    throw new BongsuError(
      'CONFIG_INVALID',
      'MIGRATION_DATABASE_URL (or DATABASE_URL) needs the URL of the tables’ owner.',
      'MIGRATION_DATABASE_URL',
    );
  const ran = await migrateDatabase(url, MIGRATIONS).catch((error: unknown) => {
    throw isAway(error) || /authentication|password|permission/.test(reasonOf(error))
      ? new BongsuError('UNAVAILABLE', `PostgreSQL cannot be migrated: ${reasonOf(error)}.`, 'DATABASE_URL')
      : error;
  });
  process.stdout.write(ran.length === 0 ? 'The database is up to date.\n' : `Ran: ${ran.join(', ')}\n`);
});
