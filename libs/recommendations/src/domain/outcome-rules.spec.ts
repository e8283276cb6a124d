import type { OutcomeKind, Rung } from '@app/protocol';
import { checkOutcome } from './outcome-rules.js';
import type { Outcome } from './recommendation.js';

const outcome = (kind: OutcomeKind, reason: Outcome['reason'] = null): Outcome => ({
  outcome: kind,
  reason,
  note: null,
  at: new Date(0),
});
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('checkOutcome', () => {
  it.each<{ name: string; rung?: Rung; before: OutcomeKind[]; given: Outcome; answer: string }>([
    { name: 'a first outcome is new', before: [], given: outcome('executed'), answer: 'new' },
    { name: 'the same again is known', before: ['executed'], given: outcome('executed'), answer: 'known' },
    { name: 'upheld after executed is new', before: ['executed'], given: outcome('upheld'), answer: 'new' },
    {
      name: 'a re-verification ends once',
      rung: 'reverify',
      before: ['executed'],
      given: outcome('reverification_failed'),
      answer: 'new',
    },
  ])('$name', ({ rung = 'warn', before, given, answer }) => {
    expect(
      checkOutcome(
        rung,
        before.map((kind) => outcome(kind)),
        given,
      ),
    ).toBe(answer);
  });

  it.each<{ name: string; rung?: Rung; before: OutcomeKind[]; given: Outcome; code: string }>([
    { name: 'declined without a reason', before: [], given: outcome('declined'), code: 'OUTCOME_INVALID' },
    {
      name: 're-verification of a warning',
      before: [],
      given: outcome('reverification_passed'),
      code: 'OUTCOME_INVALID',
    },
    {
      name: 'declined after executed',
      before: ['executed'],
      given: outcome('declined', 'other'),
      code: 'OUTCOME_CONFLICT',
    },
    { name: 'cleared after upheld', before: ['upheld'], given: outcome('cleared'), code: 'OUTCOME_CONFLICT' },
    {
      name: 'passed after ignored',
      rung: 'expire',
      before: ['reverification_ignored'],
      given: outcome('reverification_passed'),
      code: 'OUTCOME_CONFLICT',
    },
  ])('refuses $name', ({ rung = 'warn', before, given, code }) => {
    expect(
      codeOf(() =>
        checkOutcome(
          rung,
          before.map((kind) => outcome(kind)),
          given,
        ),
      ),
    ).toBe(code);
  });
});
