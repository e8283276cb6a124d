import { DETECTORS, type DetectorCode } from '@app/protocol';
import type { Finding } from './assessment.js';

/** A finding with the days it rests on; the days are dropped once the ladder has counted them. */
export interface Evidence extends Finding {
  days: readonly number[];
}

/**
 * What a detector found, after its cap; null where that is nothing.
 * @param days days since 1970 of the evidence, at least one, any order, repeats allowed
 */
export function evidence(
  code: DetectorCode,
  cap: number,
  nats: number,
  days: Iterable<number>,
  counts: Record<string, number>,
  exchanges: Iterable<number> = [],
): Evidence | null {
  const capped = Math.min(nats, cap);
  if (!(capped > 0)) return null;
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  return {
    code,
    family: DETECTORS[code].family,
    nats: capped,
    counts: { ...counts, days: sorted.length },
    exchanges: [...new Set(exchanges)].sort((a, b) => a - b),
    firstDay: sorted[0]!,
    lastDay: sorted.at(-1)!,
    days: sorted,
  };
}
