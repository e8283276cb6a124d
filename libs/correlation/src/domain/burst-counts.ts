import { eachBurst } from './burst-windows.js';
import type { KeyDay, Neighbourhood } from './neighbourhood.js';
import { WINDOWS_PER_DAY } from './summarise-day.js';

/** How many keys burst in each window, and on each day at all, over all the rows given; their order does not matter. */
export function burstCounts(keyDays: Iterable<KeyDay>): Pick<Neighbourhood, 'windowKeys' | 'activeKeys'> {
  const windowKeys = new Map<number, number>();
  const activeKeys = new Map<number, number>();
  const count = (of: Map<number, number>, name: number) => of.set(name, (of.get(name) ?? 0) + 1);
  for (const { day, bursts } of keyDays) {
    eachBurst(bursts, (w) => count(windowKeys, day * WINDOWS_PER_DAY + w));
    if (bursts.some((byte) => byte !== 0)) count(activeKeys, day);
  }
  return { windowKeys, activeKeys };
}
