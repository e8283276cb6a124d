/** Weight of evidence `ageDays` old, 1 for today and for the future: halves every `halfLifeDays`. */
export function decay(ageDays: number, halfLifeDays: number): number {
  return ageDays <= 0 ? 1 : 0.5 ** (ageDays / halfLifeDays);
}

/** Seconds of a day. */
export const DAY_SECONDS = 86_400;

/** Days since 1970-01-01 of a time in seconds. */
export function dayOf(seconds: number): number {
  return Math.floor(seconds / DAY_SECONDS);
}

/** Number of set bits of a 32-bit integer. */
export function popcount(bits: number): number {
  let v = bits - ((bits >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return (((v + (v >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** `value` moved into [low, high]. */
export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** 0 at `from` and below, 1 at `full` and above, linear between. */
export function ramp(value: number, from: number, full: number): number {
  return clamp((value - from) / (full - from), 0, 1);
}
