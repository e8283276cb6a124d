import { ConfigReader, runMain } from '@app/infrastructure/config';
import { migrateDatabase } from '@app/infrastructure/database';
import { BongsuError } from '@app/protocol';
import { MIGRATIONS } from '../../../migrations/index.js';

await runMain('migrate', async () => {
  const reader = new ConfigReader(process.env);
  const url = reader.secret('MIGRATION_DATABASE_URL') ?? reader.secret('DATABASE_URL');
  if (!url)
    throw new BongsuError(
      'CONFIG_INVALID',
      'MIGRATION_DATABASE_URL (or DATABASE_URL) needs the URL of the tables’ owner.',
      'MIGRATION_DATABASE_URL',
    );
  const ran = await migrateDatabase(url, MIGRATIONS);
  process.stdout.write(ran.length === 0 ? 'The database is up to date.\n' : `Ran: ${ran.join(', ')}\n`);
});
