import { encodeColumns, encodeToken, toColumns, trimRows, type BatchColumns, type RowPlace } from '@app/protocol';
import { sentIndex } from './batch.js';

/** The payload of a batch of which no row is left. */
export const EMPTY_PAYLOAD = Buffer.from(
  encodeColumns(toColumns({ observations: [], allowEntries: [], keyFacts: [] })),
);

/** A batch's rows after some were taken out. */
export interface TrimmedBatch {
  columns: BatchColumns;
  /** How many rows went. */
  rows: number;
  /** Positions of all key facts that went, now or before, as they were sent; ascending. */
  erasedFacts: number[];
}

/** Whose rows go: keys, and, for facts, owners; base64url of the tokens. */
export interface Targets {
  keys: ReadonlySet<string>;
  owners: ReadonlySet<string>;
}

/** The rows whose observations lie before a day (days since 1970), taken out. */
export function withoutDaysBefore(columns: BatchColumns, oldestDay: number): BatchColumns {
  const rows = observationsBefore(columns, oldestDay);
  return rows.length === 0 ? columns : trimRows(columns, rows);
}

/**
 * What retention leaves of a batch.
 * @param oldestDay first day that is kept, days since 1970
 * @param receivedDay day on which the batch was received: what has no day of its own goes by that
 * @param before sent positions of key facts that went earlier
 * @param rejections of the batch
 */
export function trimToDays(
  columns: BatchColumns,
  oldestDay: number,
  receivedDay: number,
  before: readonly number[],
  rejections: readonly RowPlace[],
): TrimmedBatch {
  const rows = observationsBefore(columns, oldestDay);
  if (receivedDay < oldestDay) rows.push(...placesOf(columns, 'allowEntries'), ...placesOf(columns, 'keyFacts'));
  return trim(columns, rows, before, rejections);
}

/** What is left of a batch once keys, or facts that name owners, are taken out. */
export function trimTargets(
  columns: BatchColumns,
  targets: Targets,
  before: readonly number[],
  rejections: readonly RowPlace[],
): TrimmedBatch {
  const isKey = columns.keys.map((token) => targets.keys.has(encodeToken(token)));
  const isOwner = columns.owners.map((token) => targets.owners.has(encodeToken(token)));
  const { observations: o, allowEntries: a, keyFacts: f } = columns;
  return trim(
    columns,
    [
      ...placesOf(columns, 'observations').filter(({ index }) => isKey[o.key[index]!]),
      ...placesOf(columns, 'allowEntries').filter(({ index }) => isKey[a.key[index]!]),
      ...placesOf(columns, 'keyFacts').filter(({ index }) => isKey[f.key[index]!] || isOwner[f.owner[index]!]),
    ],
    before,
    rejections,
  );
}

/** The keys of which a batch's facts name an owner. */
export function keysOfOwner({ keys, owners, keyFacts: f }: BatchColumns, owner: Uint8Array): Uint8Array[] {
  const at = owners.findIndex((token) => encodeToken(token) === encodeToken(owner));
  if (at < 0) return [];
  const found = new Set<number>();
  for (let i = 0; i < f.count; i++) if (f.owner[i] === at) found.add(f.key[i]!);
  return [...found].map((i) => keys[i]!);
}

/** Days since 1970 of the earliest and latest observation; null where there is none. */
export function daysOf({ observations: { hour } }: BatchColumns): { first: number | null; last: number | null } {
  if (hour.length === 0) return { first: null, last: null };
  const day = (pick: (a: number, b: number) => number) => Math.floor(hour.reduce((a, b) => pick(a, b)) / 24);
  return { first: day((a, b) => Math.min(a, b)), last: day((a, b) => Math.max(a, b)) };
}

function trim(
  columns: BatchColumns,
  rows: readonly RowPlace[],
  before: readonly number[],
  rejections: readonly RowPlace[],
): TrimmedBatch {
  const gone = [...rejections, ...before.map((index): RowPlace => ({ section: 'keyFacts', index }))];
  const facts = rows.flatMap(({ section, index }) =>
    section === 'keyFacts' ? [sentIndex('keyFacts', index, gone)] : [],
  );
  return {
    columns: trimRows(columns, rows),
    rows: rows.length,
    erasedFacts: [...before, ...facts].sort((a, b) => a - b),
  };
}

function observationsBefore(columns: BatchColumns, oldestDay: number): RowPlace[] {
  const { hour } = columns.observations;
  return placesOf(columns, 'observations').filter(({ index }) => hour[index]! < oldestDay * 24);
}

function placesOf(columns: BatchColumns, section: RowPlace['section']): RowPlace[] {
  return Array.from({ length: columns[section].count }, (_, index) => ({ section, index }));
}
