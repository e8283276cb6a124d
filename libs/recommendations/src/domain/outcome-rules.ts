import { BongsuError, rungRank, type OutcomeKind, type Rung } from '@app/protocol';
import type { Outcome } from './recommendation.js';

/** Outcomes that cannot both be true of one recommendation. */
const CONTRADICTIONS: readonly (readonly OutcomeKind[])[] = [
  ['executed', 'declined'],
  ['upheld', 'cleared'],
  ['reverification_passed', 'reverification_failed', 'reverification_ignored'],
];

/**
 * Whether an outcome adds to what was reported before. The same outcome again adds nothing and is fine.
 * @throws {BongsuError} OUTCOME_INVALID where it does not fit the recommendation, OUTCOME_CONFLICT where it contradicts
 */
export function checkOutcome(rung: Rung, before: readonly Outcome[], given: Outcome): 'new' | 'known' {
  if (given.outcome === 'declined' && given.reason === null)
    throw new BongsuError('OUTCOME_INVALID', 'Declining needs a reason.', 'reason');
  if (given.outcome.startsWith('reverification_') && rungRank(rung) < rungRank('reverify'))
    throw new BongsuError('OUTCOME_INVALID', `A recommendation to ${rung} asks for no re-verification.`, 'outcome');
  if (before.some((o) => o.outcome === given.outcome)) return 'known';
  const rivals = CONTRADICTIONS.find((group) => group.includes(given.outcome)) ?? [];
  const rival = before.find((o) => rivals.includes(o.outcome));
  if (rival)
    throw new BongsuError(
      'OUTCOME_CONFLICT',
      `"${rival.outcome}" was reported before; it cannot be "${given.outcome}" too.`,
      'outcome',
    );
  return 'new';
}

/** How far a member's clock may be off, ms. */
const SKEW_MS = 10 * 60_000;

/** @throws {BongsuError} OUTCOME_INVALID for a time before the recommendation was issued, or one still to come */
export function checkOutcomeTime(issuedAt: Date, at: Date, now: Date): void {
  const fits = at.getTime() >= issuedAt.getTime() - SKEW_MS && at.getTime() <= now.getTime() + SKEW_MS;
  if (!fits)
    throw new BongsuError(
      'OUTCOME_INVALID',
      'An outcome happens after its recommendation and not in the future.',
      'at',
    );
}
