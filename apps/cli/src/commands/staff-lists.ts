import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { BongsuError, canonicalEntries } from '@app/protocol';
import type { HubApi } from '../api/hub-api.js';
import { openAs, type PersonOptions } from '../api/local.js';

/** A warning list as the hub answers it. */
interface ListRow {
  name: string;
  version: number;
  source: string;
  description: string;
  entryCount: number;
  expiresAt: string;
  updatedAt: string;
  endedAt: string | null;
}

const FIELDS = 'name version source description entryCount expiresAt updatedAt endedAt';

interface PutOptions extends PersonOptions {
  file: string;
  source: string;
  expires: string;
  description?: string;
  allowPrivate?: boolean;
}

/** `staff list …`: the alliance's warning lists. */
export function addListCommands(staff: Command, person: (command: Command) => Command): void {
  const list = staff.command('list').description('Warning lists: addresses that many unrelated people share');
  person(list.command('put'))
    .description('Publish a list, or replace the one of its name')
    .argument('<name>', '1 to 64 characters')
    .requiredOption('--file <file>', 'its entries: a network (CIDR) or address a line; # starts a comment')
    .requiredOption('--source <text>', 'where they come from, for members to judge: publisher, URL, date')
    .requiredOption('--expires <date>', 'from when it no longer counts: 2027-01-31, or a time in ISO 8601')
    .option('--description <text>', 'what it holds')
    .option('--allow-private', 'let in ranges that are not reachable on the Internet')
    .action(put);
  person(list.command('show')).description('Show the lists, or one with its entries').argument('[name]').action(show);
  person(list.command('end'))
    .description('End a list: it labels nothing any more')
    .argument('<name>')
    .requiredOption('--reason <text>', 'why, for the audit')
    .action(end);
}

async function put(name: string, options: PutOptions): Promise<void> {
  const { file, source, description, allowPrivate = false } = options;
  const input = {
    name,
    source,
    description,
    allowPrivate,
    expiresAt: timeOf(options.expires),
    entries: readEntries(file, allowPrivate),
  };
  const api = await openAs('staff', options);
  const { putWarningList } = await api.query<{ putWarningList: ListRow }>(
    `mutation ($input: PutWarningListInput!) { putWarningList(input: $input) { ${FIELDS} } }`,
    { input },
  );
  print(putWarningList);
  await api.close();
}

async function show(name: string | undefined, options: PersonOptions): Promise<void> {
  const api = await openAs('staff', options);
  const lists = await all(api, FIELDS);
  if (name === undefined) {
    lists.sort((a, b) => a.name.localeCompare(b.name)).forEach(print);
    if (lists.length === 0) say('There are no warning lists.');
  } else {
    const found = lists.find((l) => l.name === name);
    if (!found) throw new BongsuError('NOT_FOUND', 'There is no warning list of this name.', 'name');
    // Of the others only the names are asked for again: entries are what weighs.
    const [withEntries] = await page(api, `${FIELDS} entries`, String(found.cursor - 1), 1);
    print(found);
    for (const entry of withEntries?.entries ?? []) say(entry);
  }
  await api.close();
}

async function end(name: string, options: PersonOptions & { reason: string }): Promise<void> {
  const api = await openAs('staff', options);
  const { endWarningList } = await api.query<{ endWarningList: ListRow }>(
    `mutation ($input: EndWarningListInput!) { endWarningList(input: $input) { ${FIELDS} } }`,
    { input: { name, reason: options.reason } },
  );
  print(endWarningList);
  await api.close();
}

type Listed = ListRow & { cursor: number; entries?: string[] };

async function all(api: HubApi, fields: string): Promise<Listed[]> {
  const lists: Listed[] = [];
  for (;;) {
    const found = await page(api, fields, String(lists.at(-1)?.cursor ?? ''), 8);
    if (found.length === 0) return lists;
    lists.push(...found);
  }
}

async function page(api: HubApi, fields: string, after: string, first: number): Promise<Listed[]> {
  const { warningLists } = await api.query<{ warningLists: { edges: { cursor: string; node: ListRow }[] } }>(
    `query ($after: String, $first: Int) { warningLists(after: $after, first: $first) { edges { cursor node { ${fields} } } } }`,
    { after, first },
  );
  return warningLists.edges.map(({ cursor, node }) => ({ ...node, cursor: Number(cursor) }));
}

/** A file's entries, canonical. @throws {BongsuError} BAD_INPUT naming the line that does not fit */
export function readEntries(file: string, allowPrivate: boolean): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new BongsuError('BAD_INPUT', `${file} cannot be read.`, '--file');
  }
  const lines: number[] = [];
  const entries: string[] = [];
  text.split('\n').forEach((line, i) => {
    const entry = line.replace(/#.*/, '').trim();
    if (entry === '') return;
    lines.push(i + 1);
    entries.push(entry);
  });
  try {
    return canonicalEntries(entries, allowPrivate);
  } catch (error) {
    const { message, where } = error as BongsuError;
    const at = /^entries\[(\d+)\]$/.exec(where ?? '')?.[1];
    if (at === undefined) throw error;
    const line = lines[Number(at)]!;
    throw new BongsuError('BAD_INPUT', message.replace(/^Entry \d+/, `${file}, line ${line}`), `${file}:${line}`);
  }
}

/** ISO 8601, UTC; of a day its start. @throws {BongsuError} BAD_INPUT */
function timeOf(text: string): string {
  const time = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? new Date(text) : new Date(NaN);
  if (Number.isNaN(time.getTime()))
    throw new BongsuError('BAD_INPUT', '--expires is a day, 2027-01-31, or a time, 2027-01-31T00:00:00Z.', '--expires');
  return time.toISOString();
}

function print({ name, version, entryCount, source, description, expiresAt, updatedAt, endedAt }: ListRow): void {
  const state = endedAt === null ? `until ${expiresAt}` : `ended ${endedAt}`;
  say(`${name}: version ${version}, ${entryCount} entries, ${state}; last changed ${updatedAt}`);
  say(`  from ${source}${description === '' ? '' : `; ${description}`}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
