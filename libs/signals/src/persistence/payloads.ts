import type { Tx } from '@app/infrastructure/database';
import type { Rejection } from '@app/protocol';
import { daysOf, EMPTY_PAYLOAD, type TrimmedBatch } from '../domain/trim-batch.js';

/** A stored batch, locked until the transaction ends. */
export interface StoredBatch {
  id: string;
  payload: Buffer;
  rejections: Rejection[];
  /** Sent positions of key facts that left the payload earlier. */
  erasedFacts: number[];
  receivedAt: Date;
}

const STORED = `b.id, b.payload, b.rejections, b.erased_facts AS "erasedFacts", b.received_at AS "receivedAt"`;

/**
 * A member's next batches after an id, those of them in whose payload one of some tokens stands.
 * @returns `last`: id of the last batch that was looked at, null where there was none
 */
export async function batchesAfter(
  tx: Tx,
  memberId: number,
  after: string,
  most: number,
  tokens: readonly Buffer[],
): Promise<{ found: StoredBatch[]; last: string | null }> {
  const last = await lastOf(tx, memberId, after, most);
  if (last === null) return { found: [], last };
  const found = await tx.query<StoredBatch[]>(
    `SELECT ${STORED} FROM batches b WHERE b.member_id = $1 AND b.id > $2 AND b.id <= $3
       AND EXISTS (SELECT 1 FROM unnest($4::bytea[]) t WHERE position(t IN b.payload) > 0)
     ORDER BY b.id FOR UPDATE`,
    [memberId, after, last, tokens],
  );
  return { found, last };
}

/** Takes every row out of a member's next batches. @returns as {@link batchesAfter}, and how many rows they had held */
export async function emptyBatches(
  tx: Tx,
  memberId: number,
  after: string,
  most: number,
): Promise<{ rows: number; last: string | null }> {
  const last = await lastOf(tx, memberId, after, most);
  if (last === null) return { rows: 0, last };
  const [emptied] = await tx.query<[{ accepted: number }[], number]>(
    `UPDATE batches SET payload = $4::bytea, first_day = NULL, last_day = NULL
     WHERE member_id = $1 AND id > $2 AND id <= $3 AND octet_length(payload) > octet_length($4::bytea) RETURNING accepted`,
    [memberId, after, last, EMPTY_PAYLOAD],
  );
  return { rows: emptied.reduce((sum, row) => sum + row.accepted, 0), last };
}

/**
 * Batches of any member after an id that hold what is older than `oldestDay` (days since 1970): observations of earlier
 * days, or rows without a day that were received earlier.
 */
export async function agedBatches(tx: Tx, after: string, oldestDay: number, most: number): Promise<StoredBatch[]> {
  return tx.query<StoredBatch[]>(
    `SELECT ${STORED} FROM batches b WHERE b.id > $1
       AND (b.first_day < $2 OR (b.received_at < to_timestamp($2::bigint * 86400) AND octet_length(b.payload) > $3))
     ORDER BY b.id LIMIT $4 FOR UPDATE`,
    [after, oldestDay, EMPTY_PAYLOAD.length, most],
  );
}

export async function saveTrimmed(tx: Tx, id: string, trimmed: TrimmedBatch, payload: Buffer): Promise<void> {
  const { first, last } = daysOf(trimmed.columns);
  await tx.query('UPDATE batches SET payload = $2, first_day = $3, last_day = $4, erased_facts = $5 WHERE id = $1', [
    id,
    payload,
    first,
    last,
    trimmed.erasedFacts,
  ]);
}

async function lastOf(tx: Tx, memberId: number, after: string, most: number): Promise<string | null> {
  const [row] = await tx.query<{ last: string | null }[]>(
    `SELECT max(id) AS last FROM (SELECT id FROM batches WHERE member_id = $1 AND id > $2 ORDER BY id LIMIT $3) b`,
    [memberId, after, most],
  );
  return row?.last ?? null;
}
