import { Random } from '../world/random.js';
import type { Judged } from './judge.js';

const ROUNDS = 200;
/** Fewest rounds in which a figure must have had a value for its interval to be named. */
const FEWEST_ROUNDS = 100;

/**
 * 95% intervals by resampling groups of keys with replacement (percentile bootstrap): keys of one operator rise and
 * fall together, so a key by itself is no independent case. Deterministic.
 * @param measure the figures of a sample, always as many and in one order; null where it has none
 */
export function bootstrap(
  keys: readonly Judged[],
  measure: (sample: Judged[]) => (number | null)[],
): ([number, number] | null)[] {
  const groups = grouped(keys);
  const random = new Random('bootstrap');
  const drawn: number[][] = [];
  for (let round = 0; round < ROUNDS && groups.length > 1; round++) {
    const sample = Array.from({ length: groups.length }, () => random.pick(groups)).flat();
    for (const [place, value] of measure(sample).entries()) {
      const values = (drawn[place] ??= []);
      if (value !== null) values.push(value);
    }
  }
  return Array.from({ length: Math.max(drawn.length, measure([]).length) }, (_, place) => {
    const values = (drawn[place] ?? []).sort((a, b) => a - b);
    if (values.length < FEWEST_ROUNDS) return null;
    return [values[Math.floor(0.025 * values.length)]!, values[Math.ceil(0.975 * values.length) - 1]!];
  });
}

function grouped(keys: readonly Judged[]): Judged[][] {
  const groups = new Map<string, Judged[]>();
  for (const key of keys) {
    const group = groups.get(key.group);
    if (group) group.push(key);
    else groups.set(key.group, [key]);
  }
  return [...groups.values()];
}
