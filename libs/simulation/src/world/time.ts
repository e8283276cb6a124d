/** Times of a population: whole hours or 5-minute windows since its start; ISO 8601 in UTC at its edge. */

export const HOUR_MS = 3_600_000;
export const DAY_HOURS = 24;
/** 5-minute windows of an hour. */
export const SLOTS = 12;
/** All twelve windows. */
export const ALL_SLOTS = 0xfff;
/** Seoul keeps UTC+9 all year. */
const SEOUL_OFFSET = 9;

/** ISO text, to the second, of a time given in (fractional) hours since `startMs`. */
export function isoAt(startMs: number, hours: number): string {
  return new Date(Math.round((startMs + hours * HOUR_MS) / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

/** Hour of the day in Seoul, for an hour of the day in UTC. */
export function seoulHour(hourOfDay: number): number {
  return (hourOfDay + SEOUL_OFFSET) % DAY_HOURS;
}

/**
 * How busy people and markets are at an hour in Seoul: 1 on average over the day, low before dawn, high in the evening
 * when Europe and America trade as well.
 */
export function busyness(hourInSeoul: number): number {
  return (
    1 +
    0.55 * Math.cos(((hourInSeoul - 20) / 24) * 2 * Math.PI) +
    0.2 * Math.cos(((hourInSeoul - 9.5) / 12) * 2 * Math.PI)
  );
}
