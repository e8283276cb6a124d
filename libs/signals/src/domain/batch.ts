import type { BatchSection, LegalBasis, Purpose, Rejection, RowPlace } from '@app/protocol';

/*
 * stored: durable, not yet folded. folded: its observations and edges stand. withdrawing: its member took it back, the
 * tables still show it. withdrawn: they no longer do.
 */
export const BATCH_STATES = ['stored', 'folded', 'withdrawing', 'withdrawn'] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** What only folding can see of an accepted row. */
export interface BatchNote {
  code: string;
  message: string;
  section: BatchSection;
  /** Position of the row as it was sent. */
  index: number;
}

/** What a member is told of a batch, the first time and every time after. */
export interface BatchReceipt {
  batchId: string;
  sequence: number;
  purpose: Purpose;
  legalBasis: LegalBasis;
  receivedAt: Date;
  accepted: number;
  rejected: number;
  rejections: Rejection[];
  state: BatchState;
  foldedAt: Date | null;
  notes: BatchNote[];
}

/** Position, as it was sent, of the n-th row that is left of a section. @param gone rows refused, or erased since */
export function sentIndex(section: BatchSection, left: number, gone: readonly RowPlace[]): number {
  let index = left;
  const refused = gone.filter((r) => r.section === section).map((r) => r.index);
  for (const at of refused.sort((a, b) => a - b)) if (at <= index) index++;
  return index;
}
