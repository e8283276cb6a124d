import { rungRank } from '@app/protocol';
import type { Judged } from './judge.js';
import { median, shareOf } from './statistics.js';
import type { Figure, Scores, SegmentScore } from './types.js';

const RANK = { monitor: rungRank('monitor'), reverify: rungRank('reverify'), expire: rungRank('expire') };
/** A segment with fewer innocent keys says nothing about a rate of 2%. */
const FEWEST_KEYS = 50;

/** Segments of lent keys that have goals of their own. */
const GROUPS = {
  operators: ['operator_lockstep', 'operator_independent'],
  lockstep: ['operator_lockstep'],
  rotating: ['operator_rotating'],
  farms: ['farm'],
  evasive: ['evasive'],
  pairs: ['lend_pair'],
} as const;

/** What the figures are made from, besides the keys. */
export type FigureInput = 'expire' | 'false_positives' | 'brier' | 'segments' | 'together';

/** Each figure of the detection's goals (docs/detection.md) beside its goal. */
export function figuresOf(scores: Pick<Scores, FigureInput>, keys: readonly Judged[]): Figure[] {
  const { expire, false_positives: wrong, brier, together } = scores;
  const recall = (figure: string, group: keyof typeof GROUPS, rank: number, goal: number): Figure => {
    const lent = keys.filter((key) => key.lent && (GROUPS[group] as readonly string[]).includes(key.segment));
    const found = shareOf(lent.filter(({ highest }) => highest >= rank).length, lent.length);
    return line(figure, found.share, `≥ ${goal}`, (value) => value >= goal, `${found.count} of ${found.of} lent keys`);
  };
  const days = (figure: string, groups: readonly (keyof typeof GROUPS)[], goal: number): Figure => {
    const segments = groups.flatMap((group): readonly string[] => GROUPS[group]);
    const lent = keys.filter((key) => key.lent && segments.includes(key.segment));
    const value = median(lent.map((key) => key.days));
    const never = lent.filter((key) => key.days === Infinity).length;
    return {
      figure,
      value,
      interval: null,
      goal: `≤ ${goal}`,
      met: lent.length === 0 ? null : value !== null && value <= goal,
      basis: `${lent.length} lent keys, ${never} of them never found`,
    };
  };
  const rate = (rung: keyof typeof wrong, goal: number): Figure =>
    line(
      `false positives: ${rung}`,
      wrong[rung].share,
      goal === 0 ? '0 seen' : `≤ ${percent(goal)}`,
      (value) => value <= goal,
      `${wrong[rung].count} of ${wrong[rung].of} innocent keys`,
    );
  return [
    line(
      'precision of expire',
      expire.share,
      '≥ 0.98',
      (value) => value >= 0.98,
      `${expire.count} of ${expire.of} expiries`,
    ),
    line(
      'precision of expire, lower 95% bound',
      expire.lower,
      '≥ 0.95 on ≥ 100',
      (value) => value >= 0.95 && expire.of >= 100,
      `${expire.of} expiries`,
    ),
    rate('expire', 0),
    rate('reverify', 0.002),
    rate('warn', 0.01),
    rate('monitor', 0.05),
    worst(scores.segments, 'reverify', 0.02),
    worst(scores.segments, 'warn', 0.1),
    recall('operators: any rung', 'operators', RANK.monitor, 0.95),
    recall('operators: top two', 'operators', RANK.reverify, 0.9),
    recall('operators in lockstep: expire', 'lockstep', RANK.expire, 0.8),
    recall('operators who rotate: any rung', 'rotating', RANK.monitor, 0.9),
    recall('operators who rotate: top two', 'rotating', RANK.reverify, 0.7),
    recall('farms: any rung', 'farms', RANK.monitor, 0.9),
    recall('evasive: any rung', 'evasive', RANK.monitor, 0.8),
    recall('lend pairs: any rung', 'pairs', RANK.monitor, 0.75),
    line('Brier score', brier, '≤ 0.012', (value) => value <= 0.012, `${keys.length} keys`),
    days('median days to first rung: operators', ['operators'], 2),
    days('median days to first rung: farms, evasive', ['farms', 'evasive'], 5),
    line(
      'all exchanges over one alone, split operators',
      together === null ? null : together.together - together.alone,
      '≥ 0.40 more',
      (value) => value >= 0.4,
      together === null
        ? 'no run of the exchanges alone'
        : `${together.together.toFixed(2)} against ${together.alone.toFixed(2)} on ${together.keys} keys`,
    ),
  ];
}

function worst(segments: readonly SegmentScore[], rung: 'reverify' | 'warn', goal: number): Figure {
  let found: SegmentScore | undefined;
  for (const segment of segments)
    if (segment.lent === 0 && segment.keys >= FEWEST_KEYS && (found?.[rung].share ?? -1) < (segment[rung].share ?? 0))
      found = segment;
  return line(
    `worst innocent segment: ${rung}`,
    found?.[rung].share ?? null,
    `≤ ${percent(goal)}`,
    (value) => value <= goal,
    found ? `${found.segment}: ${found[rung].count} of ${found.keys} keys` : `no segment of ${FEWEST_KEYS} keys`,
  );
}

function line(
  figure: string,
  value: number | null,
  goal: string,
  met: (value: number) => boolean,
  basis: string,
): Figure {
  return { figure, value, interval: null, goal, met: value === null ? null : met(value), basis };
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}
