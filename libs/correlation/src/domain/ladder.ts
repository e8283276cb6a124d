import { RUNGS, rungRank, type Family, type Policy, type RungOrNone } from '@app/protocol';
import { syncStandsAlone } from './combine.js';
import { DAY_SECONDS } from './decay.js';
import type { Id, KeyMemory } from './neighbourhood.js';

/** What the ladder looks at. */
export interface LadderInput {
  probability: number;
  /** Nats per family, after caps. */
  families: Record<Family, number>;
  /** Distinct days of evidence in the families that may anchor an expiry. */
  evidenceDays: number;
  /** Probability had the key's own exchange sent nothing of other keys: no expiry rests on one exchange's word. */
  probabilityWithoutOwn: () => number;
  /** Whether anything counts in the key's favour. */
  protectedKey: boolean;
}

/** The highest rung that the evidence of now supports by itself, given what the key went through before. */
export function rawRung(input: LadderInput, memory: KeyMemory | undefined, policy: Policy, asOf: number): RungOrNone {
  const { ladder } = policy;
  let rung: RungOrNone = 'none';
  for (const candidate of RUNGS) {
    if (candidate === 'expire') continue;
    if (input.probability >= ladder.probability[candidate]) rung = candidate;
  }
  const bar = memory?.reverificationFailed ? ladder.expireAfterFailedReverification : ladder.probability.expire;
  if (input.probability >= bar && mayExpire(input, policy)) {
    const corroborated = input.probabilityWithoutOwn() >= ladder.expire.minProbabilityElsewhere;
    rung = corroborated ? 'expire' : 'reverify';
  }
  const { count, withinDays } = ladder.upheldWarnings;
  const since = asOf - withinDays * DAY_SECONDS;
  const upheld = (memory?.upheldWarnings ?? []).filter((at) => at > since && at <= asOf).length;
  if (rung === 'warn' && upheld >= count) rung = 'reverify';
  return syncStandsAlone(input.families, policy) ? lower(rung, ladder.syncAlone.maxRung) : rung;
}

function mayExpire(input: LadderInput, policy: Policy): boolean {
  const rule = policy.ladder.expire;
  if (input.protectedKey || input.evidenceDays < rule.minDays) return false;
  const strong = (Object.keys(input.families) as Family[]).filter(
    (family) => input.families[family] >= rule.minFamilyNats,
  );
  return strong.length >= rule.minFamilies && strong.some((family) => rule.anchorFamilies.includes(family));
}

/**
 * The rung after memory: up at once, down one rung per `stepDownDays` in which the evidence supported a lower one.
 * @returns what to remember; its `rung` is the key's rung
 */
export function climb(
  key: Id,
  raw: RungOrNone,
  memory: KeyMemory | undefined,
  policy: Policy,
  asOf: number,
): KeyMemory {
  const before = memory ?? {
    key,
    rung: 'none' as const,
    since: asOf,
    cleanSince: null,
    reverifiedAt: null,
    reverificationFailed: false,
    upheldWarnings: [],
  };
  const rank = rungRank(before.rung);
  if (rungRank(raw) > rank) return { ...before, rung: raw, since: asOf, cleanSince: null };
  if (rungRank(raw) === rank) return { ...before, cleanSince: null };
  const cleanSince = before.cleanSince ?? asOf;
  if (asOf - cleanSince < policy.ladder.stepDownDays * DAY_SECONDS) return { ...before, cleanSince };
  const rung = rank === 1 ? 'none' : RUNGS[rank - 2]!;
  return { ...before, rung, since: asOf, cleanSince: rungRank(raw) < rank - 1 ? asOf : null };
}

function lower(a: RungOrNone, b: RungOrNone): RungOrNone {
  return rungRank(a) < rungRank(b) ? a : b;
}
