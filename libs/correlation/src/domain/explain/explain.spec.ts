import { DEFAULT_POLICY } from '@app/protocol';
import type { Assessment } from '../assessment.js';
import { ordinaryClients, Scenario, windowsOf } from '../testing/scenario.js';
import { bucketOf } from './buckets.js';
import { explain } from './explain.js';

function operated(more: Parameters<Scenario['key']>[3] = {}): Assessment {
  const s = ordinaryClients(new Scenario());
  for (let i = 0; i < 8; i++) {
    const key = s.key(`customer ${i}`, `customer ${i}`, 1 + (i % 3), more);
    s.use(key, { ip: `home ${i}`, client: 'requests', days: [0, 5], network: 'residential' });
    s.use(key, { ip: 'machine', client: 'their engine', days: [6, 20] });
    for (let day = 6; day <= 20; day++) s.bursts(key, day, windowsOf(`day ${day}`, 6));
  }
  return s.assess('customer 0', 20);
}

const FORMS = [
  ['ko', 'analyst'],
  ['ko', 'customer'],
  ['en', 'analyst'],
  ['en', 'customer'],
] as const;

describe('explain', () => {
  it('gives an analyst codes, nats, counts in buckets, window, evidence against, what would clear it, and the policy', () => {
    const text = explain(operated(), DEFAULT_POLICY, 'en', 'analyst');
    expect(text).toMatch(/N2 SHARED_EGRESS \+\d\.\d: 5 to 9 other owners on 3 exchanges/);
    expect(text).toMatch(/S1 LOCKSTEP \+\d\.\d/);
    expect(text).toContain('2026-06-07 to 2026-06-21 (UTC)');
    expect(text).toContain('Strongest evidence against:');
    expect(text).toContain('What would clear it:');
    expect(text).toContain('Policy 1.0.0');
  });

  it('says the same in Korean', () => {
    const text = explain(operated(), DEFAULT_POLICY, 'ko', 'analyst');
    expect(text).toMatch(/N2 SHARED_EGRESS \+\d\.\d: .*다른 명의자 5~9명\(거래소 3곳\)/);
    expect(text).toContain('가장 강한 반대 근거');
    expect(text).toContain('해소 방법');
    expect(text).toContain('적용 정책: 1.0.0');
  });

  it.each(FORMS)('always names evidence against, what helps, and the policy (%s, %s)', (lang, audience) => {
    const nothing = ordinaryClients(new Scenario());
    nothing.use(nothing.key('k', 'person'), { ip: 'home', client: 'requests', days: [0, 9] });
    for (const assessment of [operated(), operated({ accountType: 'corporate' }), nothing.assess('k', 9)]) {
      const text = explain(assessment, DEFAULT_POLICY, lang, audience);
      expect(text).toMatch(lang === 'ko' ? /반대 근거|유리한 사정/ : /against|In your favour/);
      expect(text).toMatch(lang === 'ko' ? /14일/ : /14 days/);
      expect(text).toContain('1.0.0');
      expect(text).not.toMatch(/undefined|NaN|Infinity/);
    }
  });

  it.each(FORMS)('never contains a token (%s, %s)', (lang, audience) => {
    const assessment = operated();
    const renumbered: Assessment = {
      ...assessment,
      key: 987_654_321,
      suppressed: [{ ip: 987_654_321, reason: 'unrelated_clients', owners: 30, share: 0.4 }],
    };
    expect(explain(renumbered, DEFAULT_POLICY, lang, audience)).not.toContain('987654321');
  });

  it('keeps codes, nats and numbers of other people from the customer', () => {
    for (const lang of ['ko', 'en'] as const) {
      const text = explain(operated({ accountType: 'corporate' }), DEFAULT_POLICY, lang, 'customer');
      expect(text).not.toMatch(/[NKCS]\d|nats|내트|5 to 9|5~9/);
      expect(text.length).toBeLessThan(900);
    }
  });

  it.each<[string, Partial<Assessment>, RegExp]>([
    ['a protection first', { protections: [{ code: 'CORPORATE', nats: 4 }], exchangeCapNats: 1 }, /corporate/],
    ['then what rests on one exchange', { exchangeCapNats: 2 }, /one other exchange/],
    [
      'then a crowd',
      { suppressed: [{ ip: 1, reason: 'warning_list', owners: 50, share: 0.6 }] },
      /60% of the traffic .* unrelated people share/,
    ],
    ['then few days', { evidenceDays: 2 }, /only 2 days; expiry needs 3/],
    [
      'then what was looked for and not found',
      { families: { network: 3, key: 1, client: 1, sync: 0 } },
      /do not coincide/,
    ],
    [
      'never a client that already spoke through a shared address',
      { families: { network: 3, key: 1, client: 0, sync: 1 } },
      /99 of 100 keys are not lent/,
    ],
    ['at last the prior', { families: { network: 3, key: 1, client: 1, sync: 1 } }, /99 of 100 keys are not lent/],
  ])('takes as the strongest evidence against %s', (_name, more, expected) => {
    const plain: Assessment = { ...operated(), protections: [], exchangeCapNats: 0, suppressed: [], ...more };
    const text = explain(plain, DEFAULT_POLICY, 'en', 'analyst');
    expect(text.split('\n').find((line) => line.startsWith('Strongest'))).toMatch(expected);
  });
});

describe('bucketOf', () => {
  it.each([
    [0, 0, 0],
    [1, 1, 4],
    [4, 1, 4],
    [5, 5, 9],
    [19, 10, 19],
    [20, 20, 49],
    [99, 50, 99],
    [100, 100, null],
    [4_000, 100, null],
  ])('%i lies in %p to %p', (count, from, to) => {
    expect(bucketOf(count)).toEqual({ from, to });
  });
});
