import { assess, type Id, type KeyMemory } from '@app/correlation';
import { DEFAULT_POLICY, POPULATION_MEMBERS, type Policy, type RungOrNone, type UsageRecord } from '@app/protocol';
import { readKeys, type KeyResult } from '@app/simulation';
import type { Feed } from '../live/feed.js';
import { keysAsOf } from '../live/key-list.js';
import { collect, type Progress } from '../live/population.js';
import { EngineWorld } from './engine-world.js';
import type { Evaluated } from './real-path.js';

/** Time stands half an hour after a step's end, as on the real path. */
const AFTER_STEP_MS = 30 * 60_000;

/** A key that holds a rung is looked at again after this long without new evidence (as in the hub's worker). */
const AGEING_SECONDS = 24 * 3600;

interface Track {
  memory: Map<Id, KeyMemory>;
  assessedAt: Map<Id, number>;
  results: Map<Id, { history: { at: string; rung: RungOrNone }[]; probability: number; reasons: string[] }>;
}

/**
 * A population through the engine alone: no processes, no blinding, no database. Also judges every exchange on its own
 * data, which shows what only all of them together can see.
 */
export async function engineOnly(
  dir: string,
  feed: Feed,
  onProgress: (progress: Progress) => void,
  policy: Policy = DEFAULT_POLICY,
): Promise<Evaluated & { alone: KeyResult[] }> {
  const world = new EngineWorld();
  const lists = await Promise.all(POPULATION_MEMBERS.map(async (member) => collect(readKeys(dir, member))));
  const together: Track = { memory: new Map(), assessedAt: new Map(), results: new Map() };
  const alone = POPULATION_MEMBERS.map((): Track => ({ memory: new Map(), assessedAt: new Map(), results: new Map() }));
  let observations = 0;
  for (let step = 0; step < feed.steps; step++) {
    const at = feed.endOf(step) + AFTER_STEP_MS;
    world.setKeys(POPULATION_MEMBERS.map((member, i) => ({ member, number: i, keys: keysAsOf(lists[i]!, at) })));
    // Hour by hour over all members, so that a step longer than a day closes its days in order.
    const usage = POPULATION_MEMBERS.flatMap((member) => parse(member, feed.lines(member, step)));
    usage.sort((a, b) => (a.record.hour < b.record.hour ? -1 : a.record.hour > b.record.hour ? 1 : 0));
    for (const { member, record } of usage) world.observe(member, record);
    observations += usage.length;
    const asOf = Math.floor(at / 3_600_000) * 3600;
    const touched = world.takeTouched();
    judge(world, together, policy, asOf, touched);
    for (const [number, track] of alone.entries()) judge(world, track, policy, asOf, touched, new Set([number]));
    onProgress({ step: step + 1, steps: feed.steps, at: new Date(at).toISOString() });
  }
  const resultsOf = (track: Track) =>
    [...track.results].map(([key, result]): KeyResult => ({ ...world.names.get(key)!, ...result }));
  return { results: resultsOf(together), alone: alone.flatMap(resultsOf), observations, rejected: 0 };
}

function judge(
  world: EngineWorld,
  track: Track,
  policy: Policy,
  asOf: number,
  touched: ReadonlySet<Id>,
  members?: ReadonlySet<number>,
): void {
  const aged = [...track.memory.values()].filter(
    ({ key, rung }) => rung !== 'none' && track.assessedAt.get(key)! <= asOf - AGEING_SECONDS,
  );
  const wanted = new Set([...touched, ...aged.map(({ key }) => key)]);
  const neighbourhood = { ...world.neighbourhood(policy, asOf, wanted, members), memory: [...track.memory.values()] };
  for (const { key, rung, probability, findings, memory } of assess(neighbourhood, policy, asOf)) {
    const before = track.memory.get(key)?.rung ?? 'none';
    const result = track.results.get(key) ?? { history: [], probability: 0, reasons: [] };
    if (rung !== before) result.history.push({ at: new Date(asOf * 1000).toISOString(), rung });
    result.probability = probability;
    result.reasons = findings.map((finding) => finding.code);
    track.results.set(key, result);
    track.memory.set(key, memory);
    track.assessedAt.set(key, asOf);
  }
}

function parse(member: string, lines: string): { member: string; record: UsageRecord }[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ member, record: JSON.parse(line) as UsageRecord }));
}
