/** Two-sided 95% of the normal distribution. */
const Z = 1.959964;

/** A share with its count, and the Wilson 95% interval; null shares where nothing was counted. */
export interface Share {
  count: number;
  of: number;
  share: number | null;
  lower: number | null;
  upper: number | null;
}

/** `count` of `of`, with the Wilson score interval at 95% (Wilson 1927). */
export function shareOf(count: number, of: number): Share {
  if (of === 0) return { count, of, share: null, lower: null, upper: null };
  const share = count / of;
  const z2 = (Z * Z) / of;
  const centre = (share + z2 / 2) / (1 + z2);
  const half = (Z * Math.sqrt((share * (1 - share)) / of + z2 / (4 * of))) / (1 + z2);
  return { count, of, share, lower: Math.max(0, centre - half), upper: Math.min(1, centre + half) };
}

/** The median, where Infinity stands for what never happened; null for an empty list or where it never happened. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const value =
    sorted.length % 2 === 1
      ? (sorted[middle] as number)
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  return Number.isFinite(value) ? value : null;
}
