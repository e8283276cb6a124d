import { evidence, type Evidence } from '../evidence.js';
import type { KeyDay } from '../neighbourhood.js';
import type { Profile } from '../profile.js';
import type { Scene } from '../scene.js';

/**
 * K1: five-minute windows in which the key was active from two networks and two clients at once, against its own
 * baseline: the best split of its days into before and after, with `weight` nats per ten-fold rise of the concurrent
 * share. Who has always used several servers has a high baseline and shows no rise. Where there are too few days before
 * to know, the policy's fixed nats.
 */
export function concurrentUse(scene: Scene, profile: Profile): Evidence | null {
  const rule = scene.policy.detectors.K1;
  const days = scene.keyDaysOf(profile.key).filter((day) => day.active > 0);
  const busy = days.filter((day) => day.concurrent > 0);
  const windows = busy.reduce((sum, day) => sum + day.concurrent, 0);
  if (busy.length < rule.minDays || windows < rule.minWindows) return null;
  const first = days.indexOf(busy[0]!);
  const rise = steepestRise(days, rule.baselineDays, rule.minDays);
  const nats = rise ? rule.weight * Math.log10(rise.ratio) : first === 0 ? rule.noBaselineNats : 0;
  const after = rise ? busy.filter((day) => day.day >= rise.day) : busy;
  if (after.length < rule.minDays) return null;
  const counts = { windows: after.reduce((sum, day) => sum + day.concurrent, 0) };
  const recency = scene.decayOf(after.at(-1)!.day);
  return evidence(
    'K1',
    rule.cap,
    nats * recency,
    after.map((day) => day.day),
    counts,
  );
}

/** The split with the greatest rise of the concurrent share, one window added on each side; null with too few days. */
function steepestRise(
  days: readonly KeyDay[],
  minBefore: number,
  minAfter: number,
): { day: number; ratio: number } | null {
  let best: { day: number; ratio: number } | null = null;
  let before = { concurrent: 0, active: 0 };
  const total = days.reduce(add, { concurrent: 0, active: 0 });
  for (let i = 0; i <= days.length - minAfter; i++) {
    if (i >= minBefore) {
      const after = { concurrent: total.concurrent - before.concurrent, active: total.active - before.active };
      const ratio = after.concurrent / after.active / ((before.concurrent + 1) / (before.active + 1));
      if (ratio > 1 && (!best || ratio > best.ratio)) best = { day: days[i]!.day, ratio };
    }
    before = add(before, days[i]!);
  }
  return best;
}

function add(sum: { concurrent: number; active: number }, day: KeyDay): { concurrent: number; active: number } {
  return { concurrent: sum.concurrent + day.concurrent, active: sum.active + day.active };
}
