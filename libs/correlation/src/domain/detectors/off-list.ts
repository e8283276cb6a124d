import { clamp, dayOf } from '../decay.js';
import { evidence, type Evidence } from '../evidence.js';
import type { DayUse, Id } from '../neighbourhood.js';
import type { Profile } from '../profile.js';
import { accepted, type OwnerOnIp, type Scene } from '../scene.js';

/**
 * K3: validly signed requests refused because their address was not on the key's list: somebody holds the secret
 * elsewhere. A little per day, since people re-register late; much more where another owner had registered that address
 * before, sends from it at the time, and with the same client, which is not the key's own of before: then a known
 * machine is trying the key. Otherwise a registered address counts the policy's stale share of it: addresses are dealt
 * out again, and a household's own bots are refused at its new address until each has registered it.
 */
export function offList(scene: Scene, profile: Profile): Evidence | null {
  const rule = scene.policy.detectors.K3;
  const days = new Map<number, number>();
  let foreign = 0;
  const exchanges = new Set<number>();
  const owners = new Set<Id>();
  let rejected = 0;
  for (const use of profile.uses) {
    if (use.rejected === 0) continue;
    rejected += use.rejected;
    days.set(use.day, scene.decayOf(use.day));
    const holder = foreignHolder(scene, profile, use);
    if (!holder) continue;
    foreign = Math.max(foreign, rule.foreignNats * holder.sureness * scene.decayOf(use.day));
    for (const member of holder.members) exchanges.add(member);
    for (const owner of holder.owners) owners.add(owner);
  }
  if (days.size === 0) return null;
  let daily = 0;
  for (const weight of days.values()) daily += rule.perDay * weight;
  const counts = { rejections: rejected, owners: owners.size };
  return evidence('K3', rule.cap, Math.max(foreign, Math.min(daily, rule.dailyCap)), days.keys(), counts, exchanges);
}

/** The surest other owners who had registered the refused address before; null where there are none. */
function foreignHolder(
  scene: Scene,
  profile: Profile,
  use: DayUse,
): { sureness: number; owners: Id[]; members: number[] } | null {
  const rule = scene.policy.detectors.K3;
  const view = scene.ip(use.ip);
  if (view.crowd) return null;
  const ownProgram = profile.uses.some(
    (other) => other.client === use.client && other.ip !== use.ip && other.day <= use.day && accepted(other) > 0,
  );
  let sureness = 0;
  const owners: Id[] = [];
  const members: number[] = [];
  for (const row of scene.allowOn(use.ip)) {
    const facts = scene.facts(row.key);
    if (!facts || dayOf(row.addedAt) > use.day) continue;
    if (row.removedAt !== null && dayOf(row.removedAt) < use.day) continue;
    if (facts.owner === profile.facts.owner) {
      // Registered before on any key of the same person: the person's own address.
      if (dayOf(row.addedAt) < use.day) return null;
      continue;
    }
    owners.push(facts.owner);
    members.push(facts.member);
    const there = view.owners.get(facts.owner);
    const active = there !== undefined && there.firstDay <= use.day && there.lastDay >= use.day - rule.activeDays;
    sureness = Math.max(sureness, active && !ownProgram ? sameProgram(scene, profile, use, there) : rule.staleScale);
  }
  return owners.length === 0 ? null : { sureness, owners, members };
}

/** From the stale share, where the clients differ or are common, to 1, where both show one that is rare there. */
function sameProgram(scene: Scene, profile: Profile, use: DayUse, there: OwnerOnIp): number {
  const { staleScale } = scene.policy.detectors.K3;
  const kind = scene.kindOf(profile.facts.member);
  const seen = there.clients.find((other) => other.kind === kind);
  if (!seen) return (1 + staleScale) / 2;
  if (use.client !== seen.client) return staleScale;
  const rate = scene.rates.rate(use.client, use.network, { owners: 2, showing: 2 });
  return staleScale + (1 - staleScale) * clamp(-Math.log(rate) / scene.policy.clientRatio.fullNats, 0, 1);
}
