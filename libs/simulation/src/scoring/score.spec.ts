import type { RungOrNone, TruthRecord } from '@app/protocol';
import { BaselineCollector } from './baselines.js';
import { formatTable } from './format-table.js';
import { score } from './score.js';
import type { KeyResult } from './types.js';

const ONSET = '2026-06-03T00:00:00Z';

function truth(access_key: string, segment: string, onset: string | null = null): TruthRecord {
  return { member: 'upbit', access_key, segment, lent: onset !== null, onset };
}

function result(access_key: string, probability: number, ...history: [string, RungOrNone][]): KeyResult {
  return {
    member: 'upbit',
    access_key,
    history: history.map(([at, rung]) => ({ at, rung })),
    probability,
    reasons: [],
  };
}

function only(record: TruthRecord, ...history: [string, RungOrNone][]) {
  return score([{ name: 'p', truth: [record], results: [result(record.access_key, 0.5, ...history)] }]);
}

describe('the highest rung a key ever held', () => {
  it('counts for an innocent key whenever it was, even if it stepped down', () => {
    const { false_positives: wrong } = only(
      truth('k', 'home_bot'),
      ['2026-06-02T00:00:00Z', 'warn'],
      ['2026-06-09T00:00:00Z', 'none'],
    );
    expect([wrong.monitor.count, wrong.warn.count, wrong.reverify.count]).toEqual([1, 1, 0]);
  });

  it('counts for a lent key from its onset only', () => {
    const { recall, segments } = only(
      truth('k', 'farm', ONSET),
      ['2026-06-01T00:00:00Z', 'warn'],
      ['2026-06-02T00:00:00Z', 'none'],
    );
    expect(recall.monitor.count).toBe(0);
    expect(segments[0]!.days).toBeNull();
  });

  it('counts what is still held at the onset, as found on day 0', () => {
    const { recall, segments } = only(truth('k', 'farm', ONSET), ['2026-06-01T00:00:00Z', 'warn']);
    expect(recall.warn.count).toBe(1);
    expect(segments[0]!.days).toBe(0);
  });

  it('takes days from the onset to the first rung, not the highest', () => {
    const { segments } = only(
      truth('k', 'farm', ONSET),
      ['2026-06-04T12:00:00Z', 'monitor'],
      ['2026-06-09T00:00:00Z', 'expire'],
    );
    expect(segments[0]!.days).toBe(1.5);
  });
});

describe('precision of expire', () => {
  const right = Array.from({ length: 9 }, (_, i) => truth(`lent${i}`, 'operator_lockstep', ONSET));
  const expired = (key: string) => result(key, 1, ['2026-06-05T00:00:00Z', 'expire']);

  it('is the share of expired keys that are lent, with the Wilson lower bound', () => {
    const { expire } = score([
      {
        name: 'p',
        truth: [...right, truth('innocent', 'home_bot')],
        results: [...right.map((t) => expired(t.access_key)), expired('innocent')],
      },
    ]);
    expect(expire).toMatchObject({ count: 9, of: 10, share: 0.9 });
    // Wilson 95% for 9 of 10: 0.5958 to 0.9821.
    expect(expire.lower).toBeCloseTo(0.5958, 3);
    expect(expire.upper).toBeCloseTo(0.9821, 3);
  });

  it('does not forgive an expiry before the key was lent', () => {
    const { expire } = only(truth('k', 'farm', ONSET), ['2026-06-02T00:00:00Z', 'expire']);
    expect(expire).toMatchObject({ count: 0, of: 1 });
  });

  it('leaves out keys that a lying exchange invented', () => {
    const scores = score([{ name: 'p', truth: [truth('k', 'fabricated')], results: [expired('k')] }]);
    expect(scores).toMatchObject({ unscored: 1, brier: null });
    expect(scores.expire.of).toBe(0);
  });
});

describe('figures', () => {
  const judged = score([
    {
      name: 'one',
      truth: [
        truth('a', 'operator_lockstep', ONSET),
        truth('b', 'operator_independent', ONSET),
        truth('c', 'home_bot'),
      ],
      results: [
        result('a', 0.9, ['2026-06-04T00:00:00Z', 'warn'], ['2026-06-06T00:00:00Z', 'expire']),
        result('c', 0.1, ['2026-06-04T00:00:00Z', 'monitor']),
      ],
    },
    // The same key in another population is another key.
    { name: 'two', truth: [truth('a', 'household')], results: [] },
  ]);
  const figure = (name: string) => judged.figures.find((line) => line.figure === name)!;

  it('pool populations', () => {
    expect(judged).toMatchObject({ populations: ['one', 'two'], keys: 4, lent: 2 });
  });

  it('hold values beside goals', () => {
    expect(figure('operators: any rung')).toMatchObject({ value: 0.5, met: false, basis: '1 of 2 lent keys' });
    expect(figure('operators in lockstep: expire')).toMatchObject({ value: 1, met: true });
    expect(figure('false positives: monitor')).toMatchObject({ value: 0.5, goal: '≤ 5%', met: false });
    expect(figure('false positives: expire')).toMatchObject({ value: 0, met: true });
    expect(figure('precision of expire, lower 95% bound').met).toBe(false);
  });

  it('count a key that was never found as found after for ever', () => {
    // Days 1 and never: the middle lies beyond any number.
    expect(figure('median days to first rung: operators')).toMatchObject({ value: null, met: false });
  });

  it('are not judged where the population has nothing to judge by', () => {
    expect(figure('farms: any rung')).toMatchObject({ value: null, met: null });
    expect(figure('all exchanges over one alone, split operators').met).toBeNull();
  });

  it('have the Brier score of all keys, 0 for those without a result', () => {
    expect(judged.brier).toBeCloseTo((0.1 ** 2 + 1 + 0.1 ** 2 + 0) / 4, 12);
  });

  it('print as a table with every figure and segment', () => {
    const table = formatTable(judged);
    for (const { figure } of judged.figures) expect(table).toContain(figure);
    for (const { segment } of judged.segments) expect(table).toContain(segment);
  });
});

describe('intervals', () => {
  const records = Array.from({ length: 40 }, (_, i) => truth(`k${i}`, 'farm', ONSET));
  const results = records.map(({ access_key }, i) =>
    result(access_key, 0.5, ...(i % 2 ? [['2026-06-04T00:00:00Z', 'monitor'] as [string, RungOrNone]] : [])),
  );
  const interval = (groups?: Map<string, number>) =>
    score([{ name: 'p', truth: records, results, ...(groups ? { groups } : {}) }]).figures.find(
      ({ figure }) => figure === 'farms: any rung',
    )!.interval!;

  it('hold the value', () => {
    const [low, high] = interval();
    expect(low).toBeLessThan(0.5);
    expect(high).toBeGreaterThan(0.5);
  });

  it('are wider where keys hang together', () => {
    const two = new Map(records.map(({ access_key }, i) => [`upbit/${access_key}`, i % 2 ? 1 : i % 4]));
    const [low, high] = interval(two);
    const [narrowLow, narrowHigh] = interval();
    expect(high - low).toBeGreaterThan(narrowHigh - narrowLow);
  });

  it('are the same each time', () => {
    expect(interval()).toEqual(interval());
  });
});

describe('all exchanges beside one alone', () => {
  it('matches on precision', () => {
    const records = [
      truth('s1', 'operator_split', ONSET),
      truth('s2', 'operator_split', ONSET),
      truth('i', 'home_bot'),
    ];
    const found = (key: string) => result(key, 0.9, ['2026-06-05T00:00:00Z', 'reverify']);
    const { together } = score([
      {
        name: 'p',
        truth: records,
        results: [found('s1'), found('s2')],
        alone: [result('s1', 0.5), result('i', 0.4), result('s2', 0.3)],
      },
    ]);
    expect(together).toEqual({ keys: 2, precision: 1, together: 1, alone: 0.5 });
  });
});

describe('naive baselines', () => {
  // Owners 1 to 3 on one address; owner 3 on a second with owner 4; owner 5 alone.
  const collector = new BaselineCollector();
  const uses: [string, string[]][] = [
    ['1', ['x']],
    ['2', ['x']],
    ['3', ['x', 'y']],
    ['4', ['y']],
    ['5', ['z']],
  ];
  for (const [key] of uses) collector.key('upbit', { access_key: key, owner: `owner${key}` });
  for (const [key, ips] of uses) for (const ip of ips) collector.usage('upbit', { access_key: key, ip });
  collector.usage('upbit', { access_key: 'unknown', ip: 'x' });
  const scores = collector.scores();
  const list = (name: keyof typeof scores) => uses.map(([key]) => scores[name].get(`upbit/${key}`));

  it('count owners on an address, and owners in a component', () => {
    expect(list('owners_per_ip')).toEqual([3, 3, 3, 2, 1]);
    expect(list('connected_components')).toEqual([4, 4, 4, 4, 1]);
  });

  it('are matched on the precision of the top two rungs', () => {
    const { baselines, matched_precision } = score([
      {
        name: 'p',
        truth: uses.map(([key]) => truth(key, 'x', key === '1' || key === '2' ? ONSET : null)),
        results: [
          result('1', 1, ['2026-06-05T00:00:00Z', 'reverify']),
          result('5', 1, ['2026-06-05T00:00:00Z', 'reverify']),
        ],
        baselines: scores,
      },
    ]);
    expect(matched_precision).toBe(0.5);
    expect(baselines[0]).toMatchObject({ name: 'owners_per_ip', matched: { threshold: 2, precision: 0.5, recall: 1 } });
    expect(baselines[0]!.best!.precision).toBeCloseTo(2 / 3, 12);
  });

  it('leave crowds out of capped components', () => {
    const crowd = new BaselineCollector();
    for (let owner = 0; owner < 25; owner++) {
      crowd.key('upbit', { access_key: `${owner}`, owner: `${owner}` });
      crowd.usage('upbit', { access_key: `${owner}`, ip: 'nat' });
    }
    const { connected_components, connected_components_capped } = crowd.scores();
    expect(connected_components.get('upbit/0')).toBe(25);
    expect(connected_components_capped.get('upbit/0')).toBe(1);
  });
});
