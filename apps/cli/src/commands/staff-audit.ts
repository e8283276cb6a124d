import { Command } from 'commander';
import { BongsuError } from '@app/protocol';
import { exportAudit, ExportFile } from '../api/audit-export.js';
import { openAs, type PersonOptions } from '../api/local.js';

interface AuditOptions extends PersonOptions {
  since?: string;
  until?: string;
  actor?: string;
  action?: string;
  subject?: string;
  after?: string;
  out?: string;
}

/** `npm run staff -- audit` */
export function auditCommand(): Command {
  return new Command('audit')
    .description('Export the audit as JSON lines, in order; for auditors')
    .option('--since <time>', 'not before this time, ISO 8601')
    .option('--until <time>', 'before this time, ISO 8601')
    .option('--actor <actor>', 'in whose name, for example staff:operator')
    .option('--action <action>', 'one action, or with a dot at the end all that begin so: member.')
    .option('--subject <subject>', 'what it happened to, for example member:upbit')
    .option('--after <cursor>', 'go on after the row with this cursor')
    .option('--out <file>', 'write there instead of standard output; goes on after the last row that is there')
    .action(exportTo);
}

async function exportTo(options: AuditOptions): Promise<void> {
  const { actor, action, subject } = options;
  const filter = {
    ...(actor ? { actor } : {}),
    ...(action ? { action } : {}),
    ...(subject ? { subject } : {}),
    ...(options.since ? { from: timeOf(options.since, '--since') } : {}),
    ...(options.until ? { until: timeOf(options.until, '--until') } : {}),
  };
  if (options.after && options.out)
    throw new BongsuError('BAD_INPUT', 'A file knows by itself where it ended: leave --after or --out out.', '--after');
  const file = options.out ? new ExportFile(options.out) : null;
  const say = (text: string) => process.stderr.write(text);
  const after = options.after ?? file?.cursor ?? null;
  if (file?.cursor) say(`Going on after ${file.cursor}.\n`);
  const api = await openAs('staff', options);
  try {
    const { rows, cursor } = await exportAudit(
      api,
      after,
      filter,
      (lines) => (file ? file.write(lines) : process.stdout.write(lines)),
      (count) => say(`\r${count} rows`),
    );
    say(`\r${rows} rows${cursor ? `, up to ${cursor}` : ''}\n`);
  } finally {
    file?.close();
    await api.close();
  }
}

function timeOf(text: string, where: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new BongsuError('BAD_INPUT', `${where} needs a time, such as 2026-06-01T00:00:00Z.`, where);
  return time.toISOString();
}
