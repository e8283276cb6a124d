import { decodeColumns, shortToken, type BatchReceipt } from '@app/member-sdk';
import type { SpooledBatch } from './spool.js';

/** A row that the hub refused: a line of `rejections.jsonl`. */
export type RejectedRow = BatchReceipt['rejections'][number] & {
  batchId: string;
  sequence: number;
  /** The key's token in short form; `resolve` gives the access key. */
  short: string | null;
  /** Start of the observation's hour, ISO 8601; null for other rows. */
  hour: string | null;
};

/** What the hub refused of a batch, with what tells the rows apart for a person. */
export function rejectedRows(batch: SpooledBatch, receipt: BatchReceipt): RejectedRow[] {
  const columns = decodeColumns(batch.compact);
  const { batchId, sequence } = receipt;
  return receipt.rejections.map((rejection) => {
    const section = columns[rejection.section];
    const key = columns.keys[section.key[rejection.index] ?? -1];
    const hour = rejection.section === 'observations' ? columns.observations.hour[rejection.index] : undefined;
    return {
      ...rejection,
      batchId,
      sequence,
      short: key === undefined ? null : shortToken(key),
      hour: hour === undefined ? null : new Date(hour * 3_600_000).toISOString(),
    };
  });
}
