import { DEFAULT_POLICY, type RungOrNone } from '@app/protocol';
import fc from 'fast-check';
import { DAY_SECONDS } from './decay.js';
import { climb, rawRung, type LadderInput } from './ladder.js';
import type { KeyMemory } from './neighbourhood.js';

const NOW = 20_700 * DAY_SECONDS;
const STRONG: LadderInput = {
  probability: 0.99,
  families: { network: 4.8, key: 0, client: 0, sync: 4 },
  evidenceDays: 8,
  protectedKey: false,
  probabilityWithoutOwn: () => 0.9,
};

function remembered(more: Partial<KeyMemory> = {}): KeyMemory {
  return {
    key: 1,
    rung: 'none',
    since: NOW - 60 * DAY_SECONDS,
    cleanSince: null,
    reverifiedAt: null,
    reverificationFailed: false,
    upheldWarnings: [],
    ...more,
  };
}

describe('rawRung', () => {
  it.each<[string, Partial<LadderInput>, Partial<KeyMemory>, RungOrNone]>([
    ['strong evidence of two families over many days', {}, {}, 'expire'],
    ['below every threshold', { probability: 0.09 }, {}, 'none'],
    ['at the threshold of monitor', { probability: 0.1 }, {}, 'monitor'],
    ['at the threshold of warn', { probability: 0.4 }, {}, 'warn'],
    ['at the threshold of reverify', { probability: 0.8 }, {}, 'reverify'],
    ['just below expire', { probability: 0.9799 }, {}, 'reverify'],
    ['one family only', { families: { network: 5, key: 1.9, client: 1.9, sync: 1.9 } }, {}, 'reverify'],
    [
      'two families, neither network nor sync',
      { families: { network: 1.9, key: 3, client: 2.5, sync: 0 } },
      {},
      'reverify',
    ],
    ['network and key', { families: { network: 5, key: 2, client: 0, sync: 0 } }, {}, 'expire'],
    ['two days of evidence', { evidenceDays: 2 }, {}, 'reverify'],
    ['evidence that only its own exchange sent', { probabilityWithoutOwn: () => 0.1 }, {}, 'reverify'],
    ['a protection', { protectedKey: true }, {}, 'reverify'],
    [
      'timing and client without shared control',
      { families: { network: 0.9, key: 0.9, client: 2.5, sync: 4 } },
      {},
      'monitor',
    ],
    [
      'timing with shared control',
      { families: { network: 0, key: 1, client: 2.5, sync: 4 }, probability: 0.9 },
      {},
      'reverify',
    ],
    ['a failed re-verification lowers the bar', { probability: 0.96 }, { reverificationFailed: true }, 'expire'],
    [
      'a failed re-verification does not do away with two families',
      { probability: 0.96, families: { network: 5, key: 0, client: 0, sync: 1 } },
      { reverificationFailed: true },
      'reverify',
    ],
    ['one upheld warning', { probability: 0.5 }, { upheldWarnings: [NOW - 5 * DAY_SECONDS] }, 'warn'],
    [
      'a second upheld warning within 90 days',
      { probability: 0.5 },
      { upheldWarnings: [NOW - 80 * DAY_SECONDS, NOW - 5 * DAY_SECONDS] },
      'reverify',
    ],
    [
      'a second upheld warning, the first long ago',
      { probability: 0.5 },
      { upheldWarnings: [NOW - 95 * DAY_SECONDS, NOW - 5 * DAY_SECONDS] },
      'warn',
    ],
  ])('%s', (_name, input, memory, expected) => {
    expect(rawRung({ ...STRONG, ...input }, remembered(memory), DEFAULT_POLICY, NOW)).toBe(expected);
  });
});

describe('climb', () => {
  it('goes up at once and remembers when', () => {
    expect(climb(1, 'reverify', remembered({ rung: 'monitor' }), DEFAULT_POLICY, NOW)).toMatchObject({
      rung: 'reverify',
      since: NOW,
      cleanSince: null,
    });
  });

  it('starts a memory for a key never seen', () => {
    expect(climb(7, 'none', undefined, DEFAULT_POLICY, NOW)).toMatchObject({ key: 7, rung: 'none' });
  });

  it('steps down one rung after 14 clean days, then one more after 14 more', () => {
    let memory = remembered({ rung: 'warn' });
    const rungs: string[] = [];
    for (let day = 0; day <= 30; day++) {
      memory = climb(1, 'none', memory, DEFAULT_POLICY, NOW + day * DAY_SECONDS);
      rungs.push(memory.rung);
    }
    expect(rungs.indexOf('monitor')).toBe(14);
    expect(rungs.indexOf('none')).toBe(28);
  });

  it('starts over when the evidence comes back in between', () => {
    let memory = remembered({ rung: 'warn' });
    for (let day = 0; day < 13; day++) memory = climb(1, 'none', memory, DEFAULT_POLICY, NOW + day * DAY_SECONDS);
    memory = climb(1, 'warn', memory, DEFAULT_POLICY, NOW + 13 * DAY_SECONDS);
    expect(memory).toMatchObject({ rung: 'warn', cleanSince: null });
    memory = climb(1, 'none', memory, DEFAULT_POLICY, NOW + 14 * DAY_SECONDS);
    expect(memory).toMatchObject({ rung: 'warn', cleanSince: NOW + 14 * DAY_SECONDS });
  });

  it('does not depend on how often it is asked within a day', () => {
    const rung = fc.constantFrom<RungOrNone>('none', 'monitor', 'warn', 'reverify', 'expire');
    fc.assert(
      fc.property(fc.array(rung, { minLength: 1, maxLength: 60 }), (days) => {
        let once = remembered();
        let often = remembered();
        days.forEach((raw, day) => {
          const at = NOW + day * DAY_SECONDS;
          once = climb(1, raw, once, DEFAULT_POLICY, at);
          for (let i = 0; i < 3; i++) often = climb(1, raw, often, DEFAULT_POLICY, at);
        });
        expect(often).toEqual(once);
      }),
    );
  });
});
