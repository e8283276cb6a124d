import { checkPolicy, DETECTOR_CODES, RUNGS } from '@app/protocol';
import { clausesOf } from '../domain/clauses.js';
import { standardHash } from '../domain/standard.js';
import { FIRST_STANDARD } from './index.js';

const { textKo, textEn, policy } = FIRST_STANDARD;
const ko = clausesOf(textKo);
const en = clausesOf(textEn);
const clause = (id: string, of = en) => of.find((c) => c.id === id)!.text;
const numbersOf = (text: string) => (text.match(/\d+(?:\.\d+)*/g) ?? []).sort();

describe('the first standard', () => {
  it('has a policy that may be published, of its own version', () => {
    expect(checkPolicy(policy)).toEqual(policy);
    expect(policy.version).toBe(FIRST_STANDARD.version);
  });

  it('takes effect at midnight in Seoul on 28 May 2026', () => {
    expect(FIRST_STANDARD.effectiveFrom.toISOString()).toBe('2026-05-27T15:00:00.000Z');
  });

  it('has the same clauses in both languages, each once and in order', () => {
    expect(ko.map((c) => c.id)).toEqual(en.map((c) => c.id));
    expect(new Set(en.map((c) => c.id)).size).toBe(en.length);
    const order = en.map((c) => c.id.slice(2).split('.').map(Number) as [number, number]);
    const sorted = [...order].sort(([a, b], [c, d]) => a - c || b - d);
    expect(order).toEqual(sorted);
    expect(en.length).toBeGreaterThan(60);
    for (const text of [textKo, textEn]) expect(clausesOf(text)).toHaveLength(text.match(/\*\*C-/g)!.length);
  });

  it.each(en.map((c) => c.id))('says the same numbers in both languages: %s', (id) => {
    expect(numbersOf(clause(id, ko))).toEqual(numbersOf(clause(id)));
  });

  it('refers only to clauses that it has', () => {
    const known = new Set(en.map((c) => c.id));
    for (const text of [textKo, textEn])
      for (const reference of text.match(/C-\d+\.\d+/g)!) expect(known).toContain(reference);
  });

  it('names every detector of the policy with its limit, and every rung with its threshold and deadline', () => {
    for (const [texts, unit] of [
      [ko, '시간'],
      [en, ' hours'],
    ] as const) {
      for (const code of DETECTOR_CODES)
        expect(clause('C-6.2', texts)).toMatch(new RegExp(`^- ${code}, .*: ${policy.detectors[code].cap}$`, 'm'));
      for (const rung of RUNGS) {
        expect(clause('C-7.1', texts)).toContain(policy.ladder.probability[rung].toFixed(2));
        expect(clause('C-8.1', texts)).toContain(`${policy.ladder.deadlineHours[rung]}${unit}`);
      }
    }
  });

  it('leaves no number out', () => {
    expect(textKo + textEn).not.toMatch(/undefined|NaN|\$\{|\[object/);
  });

  it('has a hash that changes with anything in it, and with nothing else', () => {
    expect(FIRST_STANDARD.contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(standardHash(FIRST_STANDARD)).toBe(FIRST_STANDARD.contentHash);
    const changed = [
      { version: '1.0.1' },
      { textKo: `${textKo} ` },
      { textEn: `${textEn} ` },
      { policy: { ...policy, halfLifeDays: policy.halfLifeDays + 1 } },
    ];
    for (const change of changed)
      expect(standardHash({ ...FIRST_STANDARD, ...change })).not.toBe(FIRST_STANDARD.contentHash);
    const later = { ...FIRST_STANDARD, effectiveFrom: new Date(0) };
    expect(standardHash(later)).toBe(FIRST_STANDARD.contentHash);
  });
});
