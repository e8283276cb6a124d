import {
  checkColumns,
  requireHonestDictionaries,
  withoutRows,
  type BatchSection,
  type HourBounds,
  type Rejection,
} from './batch-checks.js';
import { toColumns, type BatchColumns } from './batch-columns.js';
import { BongsuError, ERROR_CODES, type ErrorCode } from './errors.js';
import { HOUR_MS, MAX_BATCH_ROWS, MAX_HOURLY_COUNT, type BatchRows } from './signals.js';
import { decodeToken } from './tokens.js';
import { ACCOUNT_TYPES, NETWORKS, PERMISSIONS } from './vocabulary.js';

/** A row of the list form: tokens in base64url, times ISO 8601 in UTC, words from the vocabulary. */
export interface ObservationInput {
  key: string;
  ip: string;
  prefix: string;
  client: string;
  hour: string;
  network: string;
  lists?: readonly string[] | null;
  requests: number;
  orders: number;
  rejected: number;
  activeSlots: number;
  burstSlots: number;
}

export interface AllowEntryInput {
  key: string;
  ip: string;
  prefix: string;
  addedAt: string;
  removedAt?: string | null;
}

export interface KeyFactsInput {
  key: string;
  owner: string;
  accountType: string;
  permissions: readonly string[];
  createdAt: string;
  expiresAt?: string | null;
}

export interface RowsInput {
  observations: readonly ObservationInput[];
  allowEntries: readonly AllowEntryInput[];
  keyFacts: readonly KeyFactsInput[];
}

/** What of a batch may be kept, and what not. */
export interface CheckedBatch {
  accepted: BatchColumns;
  /** By section, then index. */
  rejections: Rejection[];
}

/**
 * Checks a batch in its compact form: the good rows, and why the others are none.
 * @throws {BongsuError} BATCH_MALFORMED for dictionaries that no honest encoder writes
 */
export function checkCompact(batch: BatchColumns, bounds: HourBounds): CheckedBatch {
  requireHonestDictionaries(batch);
  return checkValues(batch, bounds);
}

function checkValues(batch: BatchColumns, bounds: HourBounds): CheckedBatch {
  const rejections = checkColumns(batch, bounds);
  return { accepted: withoutRows(batch, rejections), rejections };
}

/**
 * Checks a batch in its list form.
 * @throws {BongsuError} BATCH_TOO_LARGE with more than {@link MAX_BATCH_ROWS} rows in all
 */
export function checkList(input: RowsInput, bounds: HourBounds): CheckedBatch {
  const count = input.observations.length + input.allowEntries.length + input.keyFacts.length;
  if (count > MAX_BATCH_ROWS)
    throw new BongsuError(
      'BATCH_TOO_LARGE',
      `A batch has at most ${MAX_BATCH_ROWS} rows, this one ${count}; send several.`,
    );
  const rejections: Rejection[] = [];
  const names = new Set<string>();
  const observations = readRows('observations', input.observations, (row) => observation(row, names), rejections);
  const allowEntries = readRows('allowEntries', input.allowEntries, allowEntry, rejections);
  const keyFacts = readRows('keyFacts', input.keyFacts, keyFactsRow, rejections);
  const original = { observations: observations.at, allowEntries: allowEntries.at, keyFacts: keyFacts.at };

  const checked = checkValues(
    toColumns({ observations: observations.rows, allowEntries: allowEntries.rows, keyFacts: keyFacts.rows }),
    bounds,
  );
  for (const r of checked.rejections) rejections.push({ ...r, index: original[r.section][r.index]! });
  rejections.sort((a, b) => a.section.localeCompare(b.section) || a.index - b.index);
  return { accepted: checked.accepted, rejections };
}

/** A value that does not fit: its code becomes the row's. */
class RowError extends Error {
  constructor(readonly code: ErrorCode) {
    super(ERROR_CODES[code]);
  }
}

function readRows<I, O>(section: BatchSection, inputs: readonly I[], read: (row: I) => O, rejections: Rejection[]) {
  const rows: O[] = [];
  const at: number[] = [];
  inputs.forEach((input, index) => {
    try {
      rows.push(read(input));
      at.push(index);
    } catch (error) {
      if (!(error instanceof RowError || error instanceof BongsuError)) throw error;
      rejections.push({ section, index, code: error.code, message: error.message });
    }
  });
  return { rows, at };
}

function observation(row: ObservationInput, names: Set<string>): BatchRows['observations'][number] {
  const hour = seconds(row.hour, 'HOUR_MALFORMED') / (HOUR_MS / 1000);
  if (!Number.isInteger(hour)) throw new RowError('HOUR_MALFORMED');
  for (const name of row.lists ?? []) {
    names.add(name);
    if (name.length === 0 || name.length > 64 || names.size > 32) throw new RowError('LIST_NAME_INVALID');
  }
  return {
    key: decodeToken(row.key),
    ip: decodeToken(row.ip),
    prefix: decodeToken(row.prefix),
    client: decodeToken(row.client),
    hour,
    network: word(NETWORKS, row.network, 'NETWORK_UNKNOWN'),
    lists: row.lists ?? [],
    requests: whole(row.requests, MAX_HOURLY_COUNT, 'COUNT_OUT_OF_RANGE'),
    orders: whole(row.orders, MAX_HOURLY_COUNT, 'COUNT_OUT_OF_RANGE'),
    rejected: whole(row.rejected, MAX_HOURLY_COUNT, 'COUNT_OUT_OF_RANGE'),
    activeSlots: whole(row.activeSlots, 4095, 'SLOTS_OUT_OF_RANGE'),
    burstSlots: whole(row.burstSlots, 4095, 'SLOTS_OUT_OF_RANGE'),
  };
}

function allowEntry(row: AllowEntryInput): BatchRows['allowEntries'][number] {
  return {
    key: decodeToken(row.key),
    ip: decodeToken(row.ip),
    prefix: decodeToken(row.prefix),
    addedAt: seconds(row.addedAt, 'TIME_MALFORMED'),
    removedAt: row.removedAt ? seconds(row.removedAt, 'TIME_MALFORMED') : null,
  };
}

function keyFactsRow(row: KeyFactsInput): BatchRows['keyFacts'][number] {
  return {
    key: decodeToken(row.key),
    owner: decodeToken(row.owner),
    accountType: word(ACCOUNT_TYPES, row.accountType, 'ACCOUNT_TYPE_UNKNOWN'),
    permissions: row.permissions.map((p) => word(PERMISSIONS, p, 'PERMISSION_UNKNOWN')),
    createdAt: seconds(row.createdAt, 'TIME_MALFORMED'),
    expiresAt: row.expiresAt ? seconds(row.expiresAt, 'TIME_MALFORMED') : null,
  };
}

function word<T extends string>(words: readonly T[], value: string, code: ErrorCode): T {
  const found = words.find((w) => w === value);
  if (found === undefined) throw new RowError(code);
  return found;
}

function whole(value: number, most: number, code: ErrorCode): number {
  if (!Number.isInteger(value) || value < 0 || value > most) throw new RowError(code);
  return value;
}

const ISO_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|\+00:00)$/;

/** Whole seconds since 1970 of an ISO 8601 time in UTC, within 32 bits. */
function seconds(text: string, code: ErrorCode): number {
  const ms = ISO_UTC.test(text) ? Date.parse(text) : NaN;
  const s = Math.floor(ms / 1000);
  if (!(s > 0 && s <= 0xffffffff)) throw new RowError(code);
  return s;
}
