import { clamp, dayOf } from '../decay.js';
import { evidence, type Evidence } from '../evidence.js';
import type { Id } from '../neighbourhood.js';
import type { Profile } from '../profile.js';
import type { IpView, Scene } from '../scene.js';
import { attributed, tellingIps, type SharedIp } from './shared-ips.js';

/**
 * N1: other owners have an address of the key on their allow-lists. A registration counts where it came before the
 * key's own claim to the address (first use or registration), or where its owner does send from there: who merely
 * registers an address that another already used alone harms himself only. Of an address's users only those count who
 * are in the key's group there; of those who registered it and were never seen there, the share that the group is of
 * its users. `weight · ln(1 + owners)`, scaled as the group is; where the key registered the address and never used it,
 * or no other uses it, by the policy's share for unknown ratios.
 */
export function coRegistered(scene: Scene, profile: Profile, shared: readonly SharedIp[]): Evidence | null {
  const { unknownScale, fullNats } = scene.policy.clientRatio;
  const used = attributed(scene, tellingIps(shared).share);
  let best: Evidence | null = null;
  for (const s of shared) {
    if (s.view.crowd === 'warning_list' || s.view.crowd === 'too_many_keys') continue;
    const alone = s.view.owners.size < 2;
    const scale = alone ? unknownScale * attributed(scene, s.own.share) : s.scale * s.factor * used;
    if (scale === 0) continue;
    const group = new Set(s.others.map((other) => other.owner));
    const unseen = alone ? 1 : group.size / (s.view.owners.size - 1);
    const registrants = registrantsOf(scene, profile, s.view, s.own.firstDay, { group, unseen });
    best = stronger(best, found(scene, registrants, s.own.days, scale * scene.decayOf(s.own.lastDay)));
  }
  const usedIps = new Set(profile.ips.map((own) => own.ip));
  for (const row of scene.allowOf(profile.key)) {
    if (usedIps.has(row.ip) || row.removedAt !== null) continue;
    const view = scene.ip(row.ip);
    if (view.crowd) continue;
    const scale = unknownScale * (view.ratio === null ? 1 : clamp(view.ratio / fullNats, 0, 1));
    const day = dayOf(row.addedAt);
    const everyone = { group: new Set(view.owners.keys()), unseen: 1 };
    const registrants = registrantsOf(scene, profile, view, day, everyone);
    best = stronger(best, found(scene, registrants, [day], scale * scene.decayOf(day)));
  }
  return best;
}

interface Registrants {
  owners: number;
  /** Their number, aged since removal, and with the share that counts of those never seen there. */
  weight: number;
  exchanges: Set<number>;
}

function registrantsOf(
  scene: Scene,
  profile: Profile,
  view: IpView,
  firstUse: number,
  counted: { group: ReadonlySet<Id>; unseen: number },
): Registrants {
  const rows = scene.allowOn(view.ip);
  let claimed = firstUse;
  for (const row of rows)
    if (scene.facts(row.key)?.owner === profile.facts.owner) claimed = Math.min(claimed, dayOf(row.addedAt));
  const owners = new Map<Id, number>();
  const exchanges = new Set<number>();
  for (const row of rows) {
    const facts = scene.facts(row.key);
    if (!facts || facts.owner === profile.facts.owner) continue;
    const present = view.owners.has(facts.owner);
    if (present ? !counted.group.has(facts.owner) : dayOf(row.addedAt) > claimed) continue;
    const weight = (present ? 1 : counted.unseen) * (row.removedAt === null ? 1 : scene.decayOf(dayOf(row.removedAt)));
    owners.set(facts.owner, Math.max(owners.get(facts.owner) ?? 0, weight));
    exchanges.add(facts.member);
  }
  let weight = 0;
  for (const w of owners.values()) weight += w;
  return { owners: owners.size, weight, exchanges };
}

function found(
  scene: Scene,
  { owners, weight, exchanges }: Registrants,
  days: readonly number[],
  scale: number,
): Evidence | null {
  const rule = scene.policy.detectors.N1;
  const nats = rule.weight * Math.log(1 + weight) * scale;
  return evidence('N1', rule.cap, nats, days, { owners, exchanges: exchanges.size }, exchanges);
}

function stronger(a: Evidence | null, b: Evidence | null): Evidence | null {
  return b && (!a || b.nats > a.nats) ? b : a;
}
