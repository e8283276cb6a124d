/** Most keys assessed in one transaction; bounds its memory and how long it holds its rows. */
export const KEYS_PER_PASS = 4000;

/** A key that holds a rung is looked at again after this long without new evidence, seconds: its evidence ages. */
export const AGEING_SECONDS = 24 * 3600;

const HOUR_SECONDS = 3600;

/**
 * The time an assessment is made as of: the hour that has begun, in seconds since 1970. Observations are hourly, so
 * nothing finer would say more; and two passes within an hour agree.
 */
export function assessmentTime(nowMs: number): number {
  const seconds = Math.floor(nowMs / 1000);
  return seconds - (seconds % HOUR_SECONDS);
}
