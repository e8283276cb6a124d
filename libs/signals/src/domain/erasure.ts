import type { Rung } from '@app/protocol';

/** One key; one owner's keys at the member that asks; everything of a member that has left. */
export const ERASURE_KINDS = ['key', 'owner', 'member'] as const;
export type ErasureKind = (typeof ERASURE_KINDS)[number];

export const ERASURE_STATES = ['requested', 'done'] as const;
export type ErasureState = (typeof ERASURE_STATES)[number];

/** What went, counted. */
export interface ErasureCounts {
  keys: number;
  observations: number;
  allowEntries: number;
  keyFacts: number;
  /** Rows taken out of stored batches. */
  batchRows: number;
  /** Recommendations reduced to id, rung, times and outcomes. */
  recommendations: number;
  /** Tokens of any kind that nothing refers to any more. */
  tokens: number;
}

export const NOTHING_ERASED: ErasureCounts = {
  keys: 0,
  observations: 0,
  allowEntries: 0,
  keyFacts: 0,
  batchRows: 0,
  recommendations: 0,
  tokens: 0,
};

/** The receipt of an erasure; it stays when the rest is gone. */
export interface Erasure {
  id: string;
  /** Monotonic position for paging. */
  cursor: number;
  memberId: number;
  kind: ErasureKind;
  /** Short form of the key's or owner's token; null for a member. */
  target: string | null;
  reason: string;
  requestedBy: string;
  requestedAt: Date;
  state: ErasureState;
  doneAt: Date | null;
  counts: ErasureCounts;
  /** Recommendations that were still to be acted on, and the highest rung among them. */
  openRecommendations: number;
  highestRung: Rung | null;
}

export function addCounts(a: ErasureCounts, b: Partial<ErasureCounts>): ErasureCounts {
  const sum = { ...a };
  for (const name of Object.keys(NOTHING_ERASED) as (keyof ErasureCounts)[]) sum[name] += b[name] ?? 0;
  return sum;
}
