import { allowColumns, factColumns, observationColumns, type BatchColumns } from './batch-columns.js';
import { BongsuError, ERROR_CODES, type ErrorCode } from './errors.js';
import { MAX_HOURLY_COUNT } from './signals.js';
import { encodeToken } from './tokens.js';
import { ACCOUNT_TYPES, NETWORKS, PERMISSIONS } from './vocabulary.js';

export type BatchSection = 'observations' | 'allowEntries' | 'keyFacts';

/** One row that was refused: which, and why. */
export interface Rejection {
  section: BatchSection;
  /** Position of the row in its section as it was sent, from 0. */
  index: number;
  code: ErrorCode;
  message: string;
}

/** The hours an observation may have, inclusive, in hours since 1970. */
export interface HourBounds {
  oldest: number;
  newest: number;
}

/** Checks every row's values. Rows that are not named may be accepted. */
export function checkColumns(batch: BatchColumns, bounds: HourBounds): Rejection[] {
  const rejections: Rejection[] = [];
  const refuse = (section: BatchSection, index: number, code: ErrorCode) =>
    rejections.push({ section, index, code, message: ERROR_CODES[code] });

  const o = batch.observations;
  const seen = new Set<string>();
  for (let i = 0; i < o.count; i++) {
    const code = checkObservation(o, i, bounds);
    const identity = `${o.key[i]},${o.ip[i]},${o.client[i]},${o.hour[i]}`;
    if (code !== null) refuse('observations', i, code);
    else if (seen.has(identity)) refuse('observations', i, 'ROW_DUPLICATE');
    else seen.add(identity);
  }
  const a = batch.allowEntries;
  for (let i = 0; i < a.count; i++)
    if (a.removedAt[i] !== 0 && a.removedAt[i]! < a.addedAt[i]!) refuse('allowEntries', i, 'INTERVAL_INVALID');
  const f = batch.keyFacts;
  for (let i = 0; i < f.count; i++) {
    if (f.accountType[i]! >= ACCOUNT_TYPES.length) refuse('keyFacts', i, 'ACCOUNT_TYPE_UNKNOWN');
    else if (f.permissions[i]! >= 1 << PERMISSIONS.length) refuse('keyFacts', i, 'PERMISSION_UNKNOWN');
    else if (f.expiresAt[i] !== 0 && f.expiresAt[i]! < f.createdAt[i]!) refuse('keyFacts', i, 'INTERVAL_INVALID');
  }
  return rejections;
}

function checkObservation(o: BatchColumns['observations'], i: number, bounds: HourBounds): ErrorCode | null {
  if (o.hour[i]! > bounds.newest) return 'HOUR_IN_FUTURE';
  if (o.hour[i]! < bounds.oldest) return 'HOUR_TOO_OLD';
  if (o.network[i]! >= NETWORKS.length) return 'NETWORK_UNKNOWN';
  if (Math.max(o.requests[i]!, o.orders[i]!, o.rejected[i]!) > MAX_HOURLY_COUNT) return 'COUNT_OUT_OF_RANGE';
  if (o.activeSlots[i]! > 4095 || o.burstSlots[i]! > 4095) return 'SLOTS_OUT_OF_RANGE';
  return null;
}

/**
 * Refuses dictionaries that say one token twice, or one that no row uses: honest encoders write neither, and the first
 * would let two rows be one observation, the second fill the hub with tokens that nobody observed.
 * @throws {BongsuError} BATCH_MALFORMED, with the dictionary in `where`
 */
export function requireHonestDictionaries(batch: BatchColumns): void {
  const { observations: o, allowEntries: a, keyFacts: f } = batch;
  requireHonest('keys', batch.keys, [o.key, a.key, f.key]);
  requireHonest('ips', batch.ips, [o.ip, a.ip]);
  requireHonest('prefixes', batch.prefixes, [batch.ipPrefix]);
  requireHonest('clients', batch.clients, [o.client]);
  requireHonest('owners', batch.owners, [f.owner]);
}

function requireHonest(where: string, tokens: readonly Uint8Array[], uses: readonly Uint32Array[]): void {
  const refuse = (what: string) => new BongsuError('BATCH_MALFORMED', what, where);
  if (new Set(tokens.map(encodeToken)).size !== tokens.length) throw refuse('The dictionary has one token twice.');
  const used = new Uint8Array(tokens.length);
  for (const column of uses) for (const index of column) used[index] = 1;
  if (used.includes(0)) throw refuse('The dictionary has a token that no row uses.');
}

/** A row of a batch: its section, and its position there from 0. */
export type RowPlace = Pick<Rejection, 'section' | 'index'>;

/** The batch without the named rows; dictionaries stay as they are. */
export function withoutRows(batch: BatchColumns, rows: readonly RowPlace[]): BatchColumns {
  if (rows.length === 0) return batch;
  const refused = (section: BatchSection) => new Set(rows.filter((r) => r.section === section).map((r) => r.index));
  return {
    ...batch,
    observations: keep(batch.observations, refused('observations'), observationColumns),
    allowEntries: keep(batch.allowEntries, refused('allowEntries'), allowColumns),
    keyFacts: keep(batch.keyFacts, refused('keyFacts'), factColumns),
  };
}

function keep<T extends { count: number }>(columns: T, refused: ReadonlySet<number>, empty: (count: number) => T): T {
  if (refused.size === 0) return columns;
  const kept = empty(columns.count - refused.size);
  const from = columns as unknown as Record<string, Uint32Array>;
  const into = kept as unknown as Record<string, Uint32Array>;
  let n = 0;
  for (let i = 0; i < columns.count; i++) {
    if (refused.has(i)) continue;
    for (const name of Object.keys(into)) if (name !== 'count') into[name]![n] = from[name]![i]!;
    n++;
  }
  return kept;
}
