import type { LockstepSearchPolicy } from '@app/protocol';
import { eachBurst } from './burst-windows.js';
import { dayOf } from './decay.js';
import type { Id, KeyDay } from './neighbourhood.js';
import { WINDOWS_PER_DAY } from './summarise-day.js';

/** What the search needs to know beside the bursts. */
export interface CandidateContext {
  search: LockstepSearchPolicy;
  /** From a window's number (day·288 + w) to how many keys in all burst in it; unknown windows count what is seen. */
  windowKeys: ReadonlyMap<number, number>;
  /** Keys of one owner are no candidates of each other. */
  ownerOf: (key: Id) => Id | undefined;
  /** Seconds since 1970. */
  asOf: number;
  /** Windows that start at a multiple of so many minutes are not searched; 0 searches all. */
  clockMinutes: number;
}

/**
 * For each seed, the keys of other owners that share enough rare burst windows with it: keys in lockstep share no IP,
 * so they are found through an inverted index over the windows in which few keys burst. Bounded per key and window by
 * the policy, whatever the number of keys.
 * @param keyDays of the seeds and of everyone who may be a candidate
 * @returns candidates per seed, most shared windows first; seeds without any are left out
 */
export function lockstepCandidates(
  seeds: readonly Id[],
  keyDays: readonly KeyDay[],
  context: CandidateContext,
): Map<Id, Id[]> {
  const { search, windowKeys, ownerOf, clockMinutes } = context;
  const last = dayOf(context.asOf);
  const keys = [...new Set(keyDays.map((row) => row.key))].sort((a, b) => a - b);
  const indexOf = new Map(keys.map((key, i) => [key, i]));
  const owners = keys.map((key) => ownerOf(key));
  const postings = new Map<number, number[]>();
  const own: number[][] = keys.map(() => []);
  for (const row of keyDays) {
    if (row.day > last || row.day <= last - search.lookBackDays) continue;
    const i = indexOf.get(row.key)!;
    eachBurst(row.bursts, (w) => {
      if (clockMinutes > 0 && (w * 5) % clockMinutes === 0) return;
      const window = row.day * WINDOWS_PER_DAY + w;
      if ((windowKeys.get(window) ?? 0) > search.maxKeysPerWindow) return;
      const posting = postings.get(window);
      if (posting) posting.push(i);
      else postings.set(window, [i]);
      own[i]!.push(window);
    });
  }
  const found = new Map<Id, Id[]>();
  const shared = new Uint16Array(keys.length);
  for (const seed of new Set(seeds)) {
    const me = indexOf.get(seed);
    if (me === undefined) continue;
    const windows = rarestFirst(own[me]!, postings, windowKeys, search);
    const others = candidatesOf(windows, postings, shared, search, (i, count) => {
      if (i === me || owners[i] === undefined || owners[i] === owners[me]) return false;
      return count >= search.minSharedShare * windows.length;
    });
    if (others.length > 0)
      found.set(
        seed,
        others.slice(0, search.maxCandidates).map((i) => keys[i]!),
      );
  }
  return found;
}

function rarestFirst(
  windows: number[],
  postings: ReadonlyMap<number, number[]>,
  windowKeys: ReadonlyMap<number, number>,
  search: LockstepSearchPolicy,
): number[] {
  const searchable = windows.filter((window) => {
    const size = postings.get(window)!.length;
    return size > 1 && size <= search.maxKeysPerWindow;
  });
  if (searchable.length <= search.maxWindowsPerKey) return searchable;
  const size = (window: number): number => windowKeys.get(window) ?? postings.get(window)!.length;
  return searchable.sort((a, b) => size(a) - size(b) || a - b).slice(0, search.maxWindowsPerKey);
}

/** @param shared scratch of zeros, one per key; zeros again on return */
function candidatesOf(
  windows: readonly number[],
  postings: ReadonlyMap<number, number[]>,
  shared: Uint16Array,
  search: LockstepSearchPolicy,
  fits: (i: number, count: number) => boolean,
): number[] {
  const touched: number[] = [];
  for (const window of windows)
    for (const i of postings.get(window)!) {
      if (shared[i] === 0) touched.push(i);
      shared[i]!++;
    }
  const enough = touched
    .filter((i) => shared[i]! >= search.minSharedWindows && fits(i, shared[i]!))
    .map((i) => ({ i, count: shared[i]! }))
    .sort((a, b) => b.count - a.count || a.i - b.i);
  for (const i of touched) shared[i] = 0;
  return enough.map(({ i }) => i);
}
