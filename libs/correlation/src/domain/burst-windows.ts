import type { Policy } from '@app/protocol';
import type { KeyDay } from './neighbourhood.js';
import { WINDOWS_PER_DAY } from './summarise-day.js';

const WINDOWS_PER_HOUR = 12;
const MINUTES_PER_WINDOW = 5;
/** Below so many busy keys, a few of them are a large share of all and would make every window market-wide. */
const SMALL_POPULATION = 10;

/** How telling a burst is in each place of a day, and the sum over the places that count. */
export interface Weights {
  of: Float64Array;
  places: number;
  sum: number;
}

/**
 * How telling a burst in each window and hour is: ln of (keys busy that day / keys that burst then), 0 for windows that
 * are dropped because they are market-wide or aligned to the clock.
 */
export class BurstWeights {
  private readonly days = new Map<number, { windows: Weights; hours: Weights }>();
  private readonly clockEvery: number;

  constructor(
    private readonly windowKeys: ReadonlyMap<number, number>,
    private readonly activeKeys: ReadonlyMap<number, number>,
    private readonly policy: Policy['detectors']['S1'],
  ) {
    this.clockEvery = policy.clockMinutes / MINUTES_PER_WINDOW;
  }

  /** Per window (288) and per hour (24) of a day since 1970. */
  of(day: number): { windows: Weights; hours: Weights } {
    let weights = this.days.get(day);
    if (!weights) this.days.set(day, (weights = this.build(day)));
    return weights;
  }

  private build(day: number): { windows: Weights; hours: Weights } {
    const windows = new Float64Array(WINDOWS_PER_DAY);
    const hours = new Float64Array(24);
    // A key bursts at least where it is asked about, so an unknown day holds two keys: those compared.
    const active = Math.max(this.activeKeys.get(day) ?? 0, 2);
    for (let hour = 0; hour < 24; hour++) {
      let quiet = 1;
      for (let slot = 0; slot < WINDOWS_PER_HOUR; slot++) {
        const w = hour * WINDOWS_PER_HOUR + slot;
        const share = Math.min((this.windowKeys.get(day * WINDOWS_PER_DAY + w) ?? 1) / active, 1);
        quiet *= 1 - share;
        const clockAligned = this.clockEvery > 0 && w % this.clockEvery === 0;
        const marketWide = share > this.policy.marketShare && active > SMALL_POPULATION;
        windows[w] = clockAligned || marketWide ? 0 : Math.log(1 / share);
      }
      hours[hour] = quiet <= 0 ? 0 : Math.log(1 / (1 - quiet));
    }
    return { windows: summed(windows), hours: summed(hours) };
  }
}

function summed(of: Float64Array): Weights {
  let places = 0;
  let sum = 0;
  for (const weight of of) {
    if (weight === 0) continue;
    places++;
    sum += weight;
  }
  return { of, places, sum };
}

/** Number of marks, sum of their weights, and of the squares. */
export interface MarkSums {
  count: number;
  sum: number;
  squares: number;
}

/** A key's bursts of one day in the places that count, with the sums that every comparison needs. */
export interface DayMarks {
  day: number;
  /** Windows, ascending. */
  windows: readonly number[];
  windowSums: MarkSums;
  /** 24-bit mask. */
  hours: number;
  hourSums: MarkSums;
}

/** The marks of a key on a day. */
export function marksOf(row: KeyDay, weights: { windows: Weights; hours: Weights }): DayMarks {
  const windows: number[] = [];
  const windowSums = { count: 0, sum: 0, squares: 0 };
  const hourSums = { count: 0, sum: 0, squares: 0 };
  let hours = 0;
  eachBurst(row.bursts, (w) => {
    if (weights.windows.of[w] === 0) return;
    windows.push(w);
    addMark(windowSums, weights.windows.of[w]!);
    hours |= 1 << Math.floor(w / WINDOWS_PER_HOUR);
  });
  for (let hour = 0; hour < 24; hour++) {
    if (weights.hours.of[hour] === 0) hours &= ~(1 << hour);
    if ((hours >> hour) & 1) addMark(hourSums, weights.hours.of[hour]!);
  }
  return { day: row.day, windows, windowSums, hours, hourSums };
}

/** Counts one mark in. */
export function addMark(sums: MarkSums, weight: number): void {
  sums.count++;
  sums.sum += weight;
  sums.squares += weight * weight;
}

/** Calls `visit` with every set window of a day's bursts, ascending. */
export function eachBurst(bursts: Uint8Array, visit: (window: number) => void): void {
  for (let byte = 0; byte < bursts.length; byte++) {
    let bits = bursts[byte]!;
    while (bits !== 0) {
      const lowest = bits & -bits;
      visit(byte * 8 + 31 - Math.clz32(lowest));
      bits ^= lowest;
    }
  }
}
