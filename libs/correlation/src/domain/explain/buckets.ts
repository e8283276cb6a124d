const BOUNDS = [1, 5, 10, 20, 50, 100] as const;

/** A count as it may be shown: the bucket it lies in, so that an explanation does not single anybody out. */
export interface Bucket {
  from: number;
  /** null for no upper end. */
  to: number | null;
}

/** Buckets 0, 1 to 4, 5 to 9, 10 to 19, 20 to 49, 50 to 99, 100 or more. */
export function bucketOf(count: number): Bucket {
  if (count < 1) return { from: 0, to: 0 };
  const i = BOUNDS.findLastIndex((bound) => count >= bound);
  const next = BOUNDS[i + 1];
  return { from: BOUNDS[i]!, to: next === undefined ? null : next - 1 };
}

/** A probability in percent with one decimal. Never 0.0 or 100.0: no score is certain. */
export function percent(probability: number): string {
  return Math.min(Math.max(probability * 100, 0.1), 99.9).toFixed(1);
}
