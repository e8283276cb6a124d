import type { Policy } from '@app/protocol';

export const DAY_MS = 86_400_000;

/** First days, in days since 1970, of what is kept. */
export interface RetentionBounds {
  /** Of observations and of everything that says when and where a key was used. */
  oldestDay: number;
  /** Of assessments, recommendations, outcomes and receipts of erasures. */
  forgottenDay: number;
}

/** Day, since 1970 in UTC, of a time in ms. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/**
 * What a policy keeps at a time. An observation of the oldest hour that is still accepted lies in the oldest day.
 * @param nowMs ms since 1970
 */
export function boundsOf(retention: Policy['retention'], nowMs: number): RetentionBounds {
  const today = dayOf(nowMs);
  return {
    oldestDay: Math.max(0, today - retention.observationDays),
    forgottenDay: Math.max(0, today - retention.assessmentDays),
  };
}
