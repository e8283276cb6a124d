import { DEFAULT_POLICY, rungRank, type Policy } from '@app/protocol';
import fc from 'fast-check';
import { assess } from './assess.js';
import { DAY_SECONDS } from './decay.js';
import type { Neighbourhood } from './neighbourhood.js';
import { DAY_0, ordinaryClients, Scenario, windowsOf } from './testing/scenario.js';

/** Eight customers on one machine, all on the exchanges given, in lockstep. */
function operated(exchangesOf: (customer: number) => number[]): Scenario {
  const s = ordinaryClients(new Scenario());
  for (let i = 0; i < 12; i++)
    for (const exchange of exchangesOf(i)) {
      const key = s.key(`customer ${i} at ${exchange}`, `customer ${i}`, exchange);
      s.use(key, { ip: `home ${i}`, client: 'requests', days: [0, 5], network: 'residential' });
      s.use(key, { ip: 'machine', client: 'their engine', days: [6, 20] });
      for (let day = 6; day <= 20; day++) s.bursts(key, day, windowsOf(`day ${day}`, 6));
    }
  return s;
}

describe('assess', () => {
  it('does not depend on the order of rows', () => {
    const scenario = operated((i) => [1 + (i % 3), 1 + ((i + 1) % 3)]);
    const n = scenario.neighbourhood();
    const asOf = scenario.at(20);
    const expected = assess(n, DEFAULT_POLICY, asOf);
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const shuffled: Neighbourhood = {
          ...n,
          facts: shuffle(n.facts, seed),
          uses: shuffle(n.uses, seed + 1),
          allow: shuffle(n.allow, seed + 2),
          keyDays: shuffle(n.keyDays, seed + 3),
        };
        expect(assess(shuffled, DEFAULT_POLICY, asOf)).toEqual(expected);
      }),
      { numRuns: 8 },
    );
  });

  it('assesses one seed as it does many', () => {
    const scenario = operated((i) => [1 + (i % 3)]);
    const all = assess(scenario.neighbourhood(), DEFAULT_POLICY, scenario.at(20));
    for (const key of ['customer 0 at 1', 'customer 7 at 2'])
      expect(scenario.assess(key, 20)).toEqual(all.find((a) => a.key === scenario.id(key)));
  });

  it('sees nothing from the future', () => {
    const scenario = operated((i) => [1 + (i % 3)]);
    const before = scenario.assess('customer 0 at 1', 5);
    expect(before.findings).toEqual([]);
    expect(before.rung).toBe('none');
  });

  it('leaves out seeds without facts', () => {
    const scenario = operated(() => [1]);
    expect(assess({ ...scenario.neighbourhood(), seeds: [999_999] }, DEFAULT_POLICY, scenario.at(20))).toEqual([]);
  });

  it('lets evidence fade: less each week after the last use', () => {
    const scenario = operated((i) => [1 + (i % 3)]);
    const scores = [20, 27, 34].map((day) => scenario.assess('customer 0 at 1', day).score);
    expect(scores[0]).toBeGreaterThan(scores[1]!);
    expect(scores[1]).toBeGreaterThan(scores[2]!);
  });

  it('says in which window and over how many days the evidence lies', () => {
    const scenario = operated((i) => [1 + (i % 3)]);
    const { window, evidenceDays } = scenario.assess('customer 0 at 1', 20);
    expect(window).toEqual({ from: (DAY_0 + 6) * DAY_SECONDS, to: (DAY_0 + 21) * DAY_SECONDS });
    expect(evidenceDays).toBe(15);
  });

  it.each([['a re-verified owner', { reverifiedAt: (DAY_0 + 18) * DAY_SECONDS }, 'REVERIFIED']])(
    'does not expire %s',
    (_name, memory, code) => {
      const scenario = operated((i) => [1 + (i % 3)]);
      expect(scenario.assess('customer 0 at 1', 20).rung).toBe('expire');
      scenario.remember('customer 0 at 1', memory);
      const assessment = scenario.assess('customer 0 at 1', 20);
      expect(assessment.protections.map((p) => p.code)).toEqual([code]);
      expect(rungRank(assessment.rung)).toBeLessThan(rungRank('expire'));
    },
  );
});

describe('one lying exchange', () => {
  /** A rival invents owners who register and use the victim's address with the victim's client, in lockstep. */
  function framed(): Scenario {
    const s = ordinaryClients(new Scenario());
    s.key('victim', 'victim', 1);
    s.use('victim', { ip: 'server', client: 'own tool', days: [0, 20] });
    for (let i = 0; i < 30; i++) {
      const key = s.key(`invented ${i}`, `invented ${i}`, 2);
      s.registers(key, 'server', 0);
      s.use(key, { ip: 'server', client: 'own tool', days: [0, 20] });
      for (let day = 0; day <= 20; day++) s.bursts(key, day, windowsOf(`day ${day}`, 6));
    }
    for (let day = 0; day <= 20; day++) s.bursts('victim', day, windowsOf(`day ${day}`, 6));
    return s;
  }

  it('adds at most the capped nats, and so cannot expire a key of another', () => {
    const assessment = framed().assess('victim', 20);
    const sum = Object.values(assessment.families).reduce((a, b) => a + b, 0);
    expect(sum - assessment.exchangeCapNats).toBeCloseTo(DEFAULT_POLICY.singleExchangeCap, 6);
    expect(assessment.exchangeCapNats).toBeGreaterThan(3);
    expect(rungRank(assessment.rung)).toBeLessThan(rungRank('warn'));
  });

  it('could without the cap', () => {
    const without: Policy = { ...DEFAULT_POLICY, singleExchangeCap: 100 };
    expect(framed().assess('victim', 20, without).rung).toBe('expire');
  });

  it('does not weaken what two other exchanges both say', () => {
    const scenario = operated((i) => (i === 0 ? [1] : [2, 3]));
    expect(scenario.assess('customer 0 at 1', 20).exchangeCapNats).toBe(0);
  });

  it('harms nobody by registering an address that another used alone before', () => {
    const s = ordinaryClients(new Scenario());
    s.key('victim', 'victim', 1);
    s.use('victim', { ip: 'server', client: 'own tool', days: [0, 20] });
    for (let i = 0; i < 30; i++) s.registers(s.key(`rival ${i}`, `rival ${i}`, 2), 'server', 10);
    expect(s.assess('victim', 20).findings).toEqual([]);
    expect(s.assess('rival 3', 20).findings.map((f) => f.code)).toEqual(['N1']);
  });
});

describe('crowds', () => {
  it.each([
    ['warning_list', (s: Scenario) => s, 1],
    ['unrelated_clients', (s: Scenario) => s, 0],
    ['too_many_keys', (s: Scenario) => s.truncated.set(s.id('ip nat'), 90_000), 0],
  ] as const)('shows a suppressed address with its reason: %s', (reason, prepare, lists) => {
    const s = ordinaryClients(new Scenario());
    for (let i = 0; i < 12; i++)
      s.use(s.key(`user ${i}`, `user ${i}`, 1 + (i % 5)), {
        ip: 'nat',
        client: `own program ${i}`,
        days: [0, 9],
        lists,
      });
    prepare(s);
    const { suppressed } = s.assess('user 3', 9);
    expect(suppressed).toEqual([
      { ip: s.id('ip nat'), reason, owners: reason === 'too_many_keys' ? 90_000 : 12, share: 1 },
    ]);
  });
});

function shuffle<T>(rows: readonly T[], seed: number): T[] {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
  return rows
    .map((row) => ({ row, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => row);
}
