import { DEFAULT_POLICY } from '@app/protocol';
import { lockstepCandidates, type CandidateContext } from './lockstep-candidates.js';
import type { Id, KeyDay } from './neighbourhood.js';
import { DAY_0, windowsOf } from './testing/scenario.js';

const DAYS = 6;

function busy(key: Id, windowsOn: (day: number) => readonly number[]): KeyDay[] {
  return Array.from({ length: DAYS }, (_, day) => {
    const bursts = new Uint8Array(36);
    for (const w of windowsOn(day)) bursts[w >> 3]! |= 1 << (w & 7);
    return { key, day: DAY_0 + day, bursts, concurrent: 0, active: 100 };
  });
}

const together = (day: number): number[] => windowsOf(`together ${day}`, 6);
const apart = (key: Id) => (day: number) => windowsOf(`key ${key} ${day}`, 6);

function context(more: Partial<CandidateContext> = {}): CandidateContext {
  return {
    search: DEFAULT_POLICY.lockstepSearch,
    windowKeys: new Map(),
    ownerOf: (key) => key + 1_000,
    asOf: (DAY_0 + DAYS) * 86_400 - 1,
    clockMinutes: 60,
    ...more,
  };
}

describe('lockstepCandidates', () => {
  it('finds the keys that share windows, and no others', () => {
    const rows = [...busy(1, together), ...busy(2, together), ...busy(3, apart(3)), ...busy(4, apart(4))];
    expect(lockstepCandidates([1, 3], rows, context())).toEqual(new Map([[1, [2]]]));
  });

  it('leaves out keys of the same owner', () => {
    const rows = [...busy(1, together), ...busy(2, together), ...busy(3, together)];
    const ownerOf = (key: Id): Id => (key === 2 ? 1 : key);
    expect(lockstepCandidates([1], rows, context({ ownerOf }))).toEqual(new Map([[1, [3]]]));
  });

  it('leaves out keys whose owner is not known', () => {
    const rows = [...busy(1, together), ...busy(2, together)];
    expect(lockstepCandidates([1], rows, context({ ownerOf: (key) => (key === 1 ? 1 : undefined) }))).toEqual(
      new Map(),
    );
  });

  it('does not search a window in which too many keys burst, as seen or as counted elsewhere', () => {
    const rows = [...busy(1, together), ...busy(2, together)];
    const everywhere = new Map<number, number>();
    for (let day = 0; day < DAYS; day++)
      for (const w of together(day)) everywhere.set((DAY_0 + day) * 288 + w, 100_000);
    expect(lockstepCandidates([1], rows, context({ windowKeys: everywhere }))).toEqual(new Map());
    const crowd = Array.from({ length: 10 }, (_, i) => busy(i + 1, together)).flat();
    const search = { ...DEFAULT_POLICY.lockstepSearch, maxKeysPerWindow: 9 };
    expect(lockstepCandidates([1], crowd, context({ search }))).toEqual(new Map());
  });

  it('gives at most so many candidates, those that share most', () => {
    const half = (day: number): number[] => together(day).slice(0, 3);
    const rows = [...busy(1, together), ...busy(2, half), ...busy(3, together), ...busy(4, half)];
    const search = { ...DEFAULT_POLICY.lockstepSearch, maxCandidates: 2 };
    expect(lockstepCandidates([1], rows, context({ search })).get(1)).toEqual([3, 2]);
  });

  it('drops windows aligned to the clock, and days outside the search', () => {
    const onTheHour = (): number[] => [0, 12, 24, 36, 48];
    const rows = [...busy(1, onTheHour), ...busy(2, onTheHour)];
    expect(lockstepCandidates([1], rows, context())).toEqual(new Map());
    expect(lockstepCandidates([1], rows, context({ clockMinutes: 0 })).get(1)).toEqual([2]);
    const asOf = (DAY_0 + 60) * 86_400;
    expect(lockstepCandidates([1], rows, context({ clockMinutes: 0, asOf }))).toEqual(new Map());
  });
});
