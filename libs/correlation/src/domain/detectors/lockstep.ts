import { addMark, BurstWeights, marksOf, type DayMarks, type MarkSums, type Weights } from '../burst-windows.js';
import { ramp } from '../decay.js';
import { evidence, type Evidence } from '../evidence.js';
import { lockstepCandidates } from '../lockstep-candidates.js';
import type { Id } from '../neighbourhood.js';
import type { Scene } from '../scene.js';
import type { SharedIp } from './shared-ips.js';

/** Another owner's key that bursts when the key does. */
export interface LockstepPartner {
  key: Id;
  owner: Id;
  member: number;
  /** 0 to 1: how far the similarity is beyond what the policy asks for. */
  strength: number;
  /** Whether 5-minute windows or only whole hours show it. */
  level: 'window' | 'hour';
  /** Windows in which both burst. */
  shared: number;
  days: number[];
}

/** The lockstep partners of every seed, strongest first. Searched once for all seeds, so that the index is made once. */
export function lockstepPartners(scene: Scene): Map<Id, LockstepPartner[]> {
  const { neighbourhood: n, policy } = scene;
  const rule = policy.detectors.S1;
  const partners = new Map<Id, LockstepPartner[]>();
  if (rule.cap === 0) return partners;
  const candidates = lockstepCandidates(n.seeds, n.keyDays, {
    search: policy.lockstepSearch,
    windowKeys: n.windowKeys,
    ownerOf: (key) => scene.facts(key)?.owner,
    asOf: scene.asOf,
    clockMinutes: rule.clockMinutes,
  });
  const weights = new BurstWeights(n.windowKeys, n.activeKeys, rule);
  const tracks = new Map<Id, Track>();
  const trackOfKey = (key: Id): Track => {
    let track = tracks.get(key);
    if (!track) tracks.set(key, (track = trackOf(scene, key, weights)));
    return track;
  };
  const pairs = new Map<string, ReturnType<typeof compare>>();
  for (const [seed, keys] of candidates) {
    const found: LockstepPartner[] = [];
    for (const key of keys) {
      const facts = scene.facts(key);
      if (!facts) continue;
      const [first, second] = seed < key ? [seed, key] : [key, seed];
      const pair = `${first}/${second}`;
      let likeness = pairs.get(pair);
      if (likeness === undefined)
        pairs.set(pair, (likeness = compare(trackOfKey(first), trackOfKey(second), weights, rule)));
      if (likeness) found.push({ key, owner: facts.owner, member: facts.member, ...likeness });
    }
    if (found.length > 0)
      partners.set(
        seed,
        found.sort((a, b) => b.strength - a.strength || a.key - b.key),
      );
  }
  return partners;
}

/** A key's marks on the days on which it was active, by day. */
type Track = ReadonlyMap<number, DayMarks>;

function trackOf(scene: Scene, key: Id, weights: BurstWeights): Track {
  const since = scene.asOfDay - scene.policy.lockstepSearch.lookBackDays;
  const track = new Map<number, DayMarks>();
  for (const row of scene.keyDaysOf(key))
    if (row.day > since && row.active > 0) track.set(row.day, marksOf(row, weights.of(row.day)));
  return track;
}

/** Sums over the days on which both keys were active. */
class Overlap {
  private both = 0;
  private either = 0;
  private squares = 0;
  private expected = 0;

  /**
   * Adds one day.
   * @param both the marks that both keys have
   * @param weights of the day's places
   */
  add(both: MarkSums, a: MarkSums, b: MarkSums, weights: Weights): void {
    this.both += both.sum;
    this.either += a.sum + b.sum - both.sum;
    this.squares += a.squares + b.squares - both.squares;
    // By chance: what two independent keys with so many marks each would have in common.
    if (weights.places > 0) this.expected += (a.count / weights.places) * (b.count / weights.places) * weights.sum;
  }

  /** Jaccard beyond chance, minus one standard error. */
  lower(): number {
    const room = this.either - this.expected;
    if (this.either <= 0 || room <= 0) return 0;
    const j = Math.max(0, (this.both - this.expected) / room);
    const effective = (this.either * this.either) / this.squares;
    return j - Math.sqrt(Math.max(j * (1 - j), 0) / effective);
  }
}

function compare(
  a: Track,
  b: Track,
  weights: BurstWeights,
  rule: Scene['policy']['detectors']['S1'],
): Omit<LockstepPartner, 'key' | 'owner' | 'member'> | null {
  const windows = new Overlap();
  const hours = new Overlap();
  const bursts = { a: 0, b: 0 };
  let shared = 0;
  const days: number[] = [];
  for (const [day, x] of a) {
    const y = b.get(day);
    if (!y) continue;
    const w = weights.of(day);
    bursts.a += x.windows.length;
    bursts.b += y.windows.length;
    const both = sharedWindows(x.windows, y.windows, w.windows);
    windows.add(both, x.windowSums, y.windowSums, w.windows);
    const bothHours = sharedHours(x.hours & y.hours, w.hours);
    hours.add(bothHours, x.hourSums, y.hourSums, w.hours);
    shared += both.count;
    if (bothHours.count > 0) days.push(day);
  }
  if (bursts.a < rule.minBursts || bursts.b < rule.minBursts || days.length < rule.minDays) return null;
  const atWindows = ramp(windows.lower(), rule.windowFrom, rule.windowFull);
  const atHours = rule.hourScale * ramp(hours.lower(), rule.hourFrom, rule.hourFull);
  const strength = Math.max(atWindows, atHours);
  if (strength === 0) return null;
  return { strength, level: atWindows >= atHours ? 'window' : 'hour', shared, days };
}

function sharedWindows(a: readonly number[], b: readonly number[], weights: Weights): MarkSums {
  const sums = { count: 0, sum: 0, squares: 0 };
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const order = a[i]! - b[j]!;
    if (order === 0) addMark(sums, weights.of[a[i]!]!);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return sums;
}

function sharedHours(mask: number, weights: Weights): MarkSums {
  const sums = { count: 0, sum: 0, squares: 0 };
  for (let left = mask; left !== 0; left &= left - 1) addMark(sums, weights.of[31 - Math.clz32(left & -left)]!);
  return sums;
}

/**
 * S1: the cap times the strength of the closest partner, aged by the last day on which both burst. Partners who came to
 * an address where the key's owner was first count the policy's `hostScale`: there the owner's own program runs both.
 */
export function lockstep(
  scene: Scene,
  partners: readonly LockstepPartner[],
  shared: readonly SharedIp[],
): Evidence | null {
  const rule = scene.policy.detectors.S1;
  const guests = new Set(shared.filter((s) => s.host).flatMap((s) => s.others.map((other) => other.owner)));
  let nats = 0;
  let closest: LockstepPartner | undefined;
  for (const partner of partners) {
    const scale = guests.has(partner.owner) ? scene.policy.attribution.hostScale : 1;
    const aged = rule.cap * partner.strength * scale * scene.decayOf(partner.days.at(-1)!);
    if (aged <= nats) continue;
    nats = aged;
    closest = partner;
  }
  if (!closest) return null;
  const owners = new Set(partners.map((partner) => partner.owner));
  const exchanges = new Set(partners.map((partner) => partner.member));
  const counts = { owners: owners.size, exchanges: exchanges.size, windows: closest.shared };
  return evidence('S1', rule.cap, nats, closest.days, counts, exchanges);
}
