import { burstCounts } from './burst-counts.js';
import { WINDOWS_PER_DAY } from './summarise-day.js';

const keyDay = (key: number, day: number, ...windows: number[]) => {
  const bursts = new Uint8Array(WINDOWS_PER_DAY / 8);
  for (const w of windows) bursts[w >> 3]! |= 1 << (w & 7);
  return { key, day, bursts, concurrent: 0, active: windows.length };
};

describe('burstCounts', () => {
  it('counts keys per window, and keys with any burst per day', () => {
    const { windowKeys, activeKeys } = burstCounts([
      keyDay(1, 10, 0, 287),
      keyDay(2, 10, 287),
      keyDay(3, 10),
      keyDay(1, 11, 9),
    ]);
    const at = (day: number, w: number) => windowKeys.get(day * WINDOWS_PER_DAY + w);
    expect([at(10, 0), at(10, 287), at(10, 1), at(11, 9)]).toEqual([1, 2, undefined, 1]);
    expect([...activeKeys]).toEqual([
      [10, 2],
      [11, 1],
    ]);
  });
});
