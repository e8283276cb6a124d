/** 5-minute windows in an hour. */
export const SLOTS = 12;
/** Trailing days over which a key's median active window is taken. */
export const MEDIAN_DAYS = 7;
/** Fewest orders of a burst window. */
const LEAST_BURST = 5;
/** A burst window has more orders than this many times the median. */
const BURST_TIMES = 3;

/** How many windows had how many orders: orders → windows. */
export type Histogram = Map<number, number>;

/** What a key did in the windows of one hour, over all its addresses and clients. */
export interface KeyWindows {
  /** Bit i: any request in window i. */
  active: number;
  orders: number[];
}

/** Adds the active windows of an hour. */
export function addWindows(into: Histogram, windows: KeyWindows): void {
  for (let i = 0; i < SLOTS; i++) {
    if ((windows.active & (1 << i)) === 0) continue;
    const orders = windows.orders[i]!;
    into.set(orders, (into.get(orders) ?? 0) + 1);
  }
}

/** The median; of an even number of windows the mean of the middle two. 0 for none. */
export function median(histogram: Histogram): number {
  const entries = [...histogram].sort((a, b) => a[0] - b[0]);
  const count = entries.reduce((sum, [, n]) => sum + n, 0);
  const at = (place: number): number => {
    let seen = 0;
    for (const [orders, n] of entries) if ((seen += n) > place) return orders;
    return 0;
  };
  return count === 0 ? 0 : (at(Math.floor((count - 1) / 2)) + at(Math.floor(count / 2))) / 2;
}

/**
 * The windows of an observation in which its orders exceed three times the key's own median active window over the
 * trailing 7 days, and are at least 5 (docs/formats.md).
 */
export function burstSlots(orders: readonly number[], keyMedian: number): number {
  let bits = 0;
  for (let i = 0; i < SLOTS; i++) if (orders[i]! >= LEAST_BURST && orders[i]! > BURST_TIMES * keyMedian) bits |= 1 << i;
  return bits;
}
