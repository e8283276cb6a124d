import { Command } from 'commander';
import { clockFromEnv } from '@app/infrastructure/clock';
import { localHub, openAs, type PersonOptions } from '../api/local.js';
import { fetchReport, formatReport } from '../api/report.js';

const SEOUL_MS = 9 * 3_600_000;

/** `npm run regulator -- …` */
export function regulatorCommand(): Command {
  const regulator = new Command('regulator').description('What regulators do');
  const person = (command: Command) =>
    command
      .option('--hub <url>', 'the hub (default: HUB_URL, or the one that `npm start` runs here)')
      .option('--key <file>', 'your private JWK (default: PERSON_KEY_FILE, or the one that `npm start` made)')
      .option('--name <name>', 'your name at the hub (default: PERSON_NAME, or "inspector")');

  person(regulator.command('report'))
    .description('Print a month’s report, after checking its signature')
    .argument('[period]', 'YYYY-MM, Asia/Seoul (default: this month)')
    .option('--json', 'print it as JSON')
    .action(async (period: string | undefined, options: PersonOptions & { json?: boolean }) => {
      const local = localHub();
      const hub = options.hub ?? process.env['HUB_URL'] ?? local?.hubUrl ?? '';
      const api = await openAs('regulator', options);
      const now = clockFromEnv({ CLOCK_FILE: local?.clockFile, ...process.env }).now();
      const report = await fetchReport(api, hub, period ?? new Date(now + SEOUL_MS).toISOString().slice(0, 7));
      await api.close();
      process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : formatReport(report)}\n`);
    });
  person(regulator.command('reports').description('List the months that are closed')).action(
    async (options: PersonOptions) => {
      const api = await openAs('regulator', options);
      const { reports } = await api.query<{ reports: string[] }>('{ reports }');
      await api.close();
      process.stdout.write(reports.length === 0 ? 'No month is closed yet.\n' : `${reports.join('\n')}\n`);
    },
  );
  return regulator;
}
