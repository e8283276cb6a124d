import { Command } from 'commander';
import { DoorError } from '@app/member-sdk';
import { BongsuError } from '@app/protocol';
import { reasonOf } from '@app/infrastructure/logging';
import { demoCommand } from './commands/demo.js';
import { evaluateCommand } from './commands/evaluate.js';
import { migrate } from './commands/migrate.js';
import { regulatorCommand } from './commands/regulator.js';
import { simulateCommand } from './commands/simulate.js';
import { staffCommand } from './commands/staff.js';
import { start } from './commands/start.js';

const program = new Command('bongsu')
  .description('The alliance’s hub against lent and shared API keys')
  .showHelpAfterError();
program
  .command('start')
  .description('Start PostgreSQL, hub, worker and blinder')
  .option('--blinders <count>', 'how many hold a key of the blinding: 1 or 2', '1')
  .action(start);
program.command('migrate').description('Bring the database to the newest schema').action(migrate);
for (const command of [demoCommand(), simulateCommand(), evaluateCommand(), staffCommand(), regulatorCommand()])
  program.addCommand(command);

try {
  await program.parseAsync();
} catch (error) {
  const known = error instanceof BongsuError || error instanceof DoorError;
  process.stderr.write(
    known ? `${error.code}: ${error.message}\n` : `INTERNAL: ${reasonOf(error)}\n${(error as Error).stack}\n`,
  );
  process.exit(1);
}
