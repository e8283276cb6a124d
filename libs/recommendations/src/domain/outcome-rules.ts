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
