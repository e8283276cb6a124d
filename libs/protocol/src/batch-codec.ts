import { allowColumns, factColumns, observationColumns, type BatchColumns } from './batch-columns.js';
import { BongsuError } from './errors.js';
import { MAX_BATCH_BYTES, MAX_BATCH_ROWS } from './signals.js';
import { TOKEN_BYTES } from './tokens.js';

/*
 * The compact form, little-endian, every section padded to 4 bytes:
 *   "BSG1"; u32 counts: keys, ips, prefixes, clients, owners, bytes of the list names, observations, allow entries, facts;
 *   the five dictionaries (32 bytes a token); the list names (JSON array, UTF-8); u32 ipPrefix[ips];
 *   then the columns of observations, allow entries and key facts, in the order of COLUMNS.
 */
const MAGIC = 0x31475342;
const HEADER_WORDS = 10;
const COLUMNS = {
  observations: [
    'key',
    'ip',
    'client',
    'hour',
    'requests',
    'orders',
    'rejected',
    'lists',
    'activeSlots',
    'burstSlots',
    'network',
  ],
  allowEntries: ['key', 'ip', 'addedAt', 'removedAt'],
  keyFacts: ['key', 'owner', 'createdAt', 'expiresAt', 'accountType', 'permissions'],
} as const;
type Column = Uint32Array | Uint16Array | Uint8Array;

/** Bytes of a section with its padding. Not by bit operators: a forged header names sizes beyond 32 bits. */
const padded = (bytes: number) => Math.ceil(bytes / 4) * 4;

function columnsOf(batch: BatchColumns): Column[] {
  return (Object.keys(COLUMNS) as (keyof typeof COLUMNS)[]).flatMap((section) =>
    COLUMNS[section].map((name) => (batch[section] as unknown as Record<string, Column>)[name]!),
  );
}

/** Encodes a batch's rows in the compact form, which {@link decodeColumns} reads back. */
export function encodeColumns(batch: BatchColumns): Uint8Array {
  const names = Buffer.from(JSON.stringify(batch.lists), 'utf8');
  const dictionaries = [batch.keys, batch.ips, batch.prefixes, batch.clients, batch.owners];
  const columns = columnsOf(batch);
  const size =
    HEADER_WORDS * 4 +
    dictionaries.reduce((sum, d) => sum + d.length * TOKEN_BYTES, 0) +
    padded(names.length) +
    batch.ips.length * 4 +
    columns.reduce((sum, c) => sum + padded(c.byteLength), 0);
  const out = Buffer.alloc(size);
  const header = [
    MAGIC,
    ...dictionaries.map((d) => d.length),
    names.length,
    batch.observations.count,
    batch.allowEntries.count,
    batch.keyFacts.count,
  ];
  header.forEach((word, i) => out.writeUInt32LE(word, i * 4));
  let at = HEADER_WORDS * 4;
  const put = (bytes: Uint8Array) => {
    out.set(bytes, at);
    at += padded(bytes.length);
  };
  for (const dictionary of dictionaries) for (const token of dictionary) put(token);
  put(names);
  for (const column of [batch.ipPrefix, ...columns])
    put(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  return out;
}

/**
 * Decodes the compact form. Structure is checked here (sizes, indices, at most {@link MAX_BATCH_ROWS} rows in all);
 * values are {@link checkColumns}' matter.
 * @throws {BongsuError} BATCH_TOO_LARGE, BATCH_MALFORMED (with the section in `where`)
 */
export function decodeColumns(bytes: Uint8Array): BatchColumns {
  if (bytes.byteLength > MAX_BATCH_BYTES)
    throw new BongsuError('BATCH_TOO_LARGE', `A batch has at most ${MAX_BATCH_BYTES} bytes; send several.`);
  const malformed = (where: string, what: string) => new BongsuError('BATCH_MALFORMED', what, where);
  if (bytes.byteLength < HEADER_WORDS * 4) throw malformed('header', 'The compact form ends within its header.');
  // A copy at offset 0: typed arrays need alignment, which a slice of a network buffer does not promise.
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const header = new Uint32Array(buffer, 0, HEADER_WORDS);
  if (header[0] !== MAGIC) throw malformed('header', 'The compact form starts with "BSG1".');
  const [, nKeys, nIps, nPrefixes, nClients, nOwners, nNames, nObs, nAllow, nFacts] = header as unknown as number[];
  const rows = nObs! + nAllow! + nFacts!;
  if (rows > MAX_BATCH_ROWS)
    throw new BongsuError(
      'BATCH_TOO_LARGE',
      `A batch has at most ${MAX_BATCH_ROWS} rows, this one ${rows}; send several.`,
    );

  let at = HEADER_WORDS * 4;
  const take = (size: number, where: string): number => {
    const start = at;
    at += padded(size);
    if (at > buffer.byteLength) throw malformed(where, `The compact form ends within ${where}.`);
    return start;
  };
  const dictionary = (count: number, where: string): Uint8Array[] => {
    const start = take(count * TOKEN_BYTES, where);
    return Array.from({ length: count }, (_, i) => new Uint8Array(buffer, start + i * TOKEN_BYTES, TOKEN_BYTES));
  };
  const batch: BatchColumns = {
    keys: dictionary(nKeys!, 'keys'),
    ips: dictionary(nIps!, 'ips'),
    prefixes: dictionary(nPrefixes!, 'prefixes'),
    clients: dictionary(nClients!, 'clients'),
    owners: dictionary(nOwners!, 'owners'),
    lists: listNames(new Uint8Array(buffer, take(nNames!, 'lists'), nNames)),
    ipPrefix: new Uint32Array(buffer, take(nIps! * 4, 'ipPrefix'), nIps),
    observations: observationColumns(nObs!),
    allowEntries: allowColumns(nAllow!),
    keyFacts: factColumns(nFacts!),
  };
  for (const column of columnsOf(batch)) {
    const start = take(column.byteLength, 'columns');
    new Uint8Array(column.buffer).set(new Uint8Array(buffer, start, column.byteLength));
  }
  if (at !== buffer.byteLength) throw malformed('end', 'The compact form goes on after its last column.');

  const within = (column: Uint32Array, size: number, where: string) => {
    for (let i = 0; i < column.length; i++)
      if (column[i]! >= size) throw malformed(`${where}[${i}]`, `An index points outside its dictionary of ${size}.`);
  };
  within(batch.ipPrefix, nPrefixes!, 'ipPrefix');
  within(batch.observations.key, nKeys!, 'observations.key');
  within(batch.observations.ip, nIps!, 'observations.ip');
  within(batch.observations.client, nClients!, 'observations.client');
  within(batch.allowEntries.key, nKeys!, 'allowEntries.key');
  within(batch.allowEntries.ip, nIps!, 'allowEntries.ip');
  within(batch.keyFacts.key, nKeys!, 'keyFacts.key');
  within(batch.keyFacts.owner, nOwners!, 'keyFacts.owner');
  return batch;
}

function listNames(bytes: Uint8Array): string[] {
  let names: unknown;
  try {
    names = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    names = null;
  }
  const fits =
    Array.isArray(names) &&
    names.length <= 32 &&
    names.every((n) => typeof n === 'string' && n.length > 0 && n.length <= 64);
  if (!fits)
    throw new BongsuError(
      'BATCH_MALFORMED',
      'List names are a JSON array of at most 32 names of 1 to 64 characters.',
      'lists',
    );
  return names as string[];
}
