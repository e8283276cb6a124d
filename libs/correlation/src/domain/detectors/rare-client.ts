import { evidence, type Evidence } from '../evidence.js';
import type { Id } from '../neighbourhood.js';
import type { Profile } from '../profile.js';
import { profileOf } from '../profile.js';
import type { Scene } from '../scene.js';
import type { LockstepPartner } from './lockstep.js';
import { tellingIps, type SharedIp } from './shared-ips.js';

/**
 * C1: partners in lockstep show the key's own client more than its base rate explains. Owners whose clients already
 * spoke through a shared address (N1, N2, N4) are left out: the same fact must not count twice.
 */
export function rareClient(
  scene: Scene,
  profile: Profile,
  partners: readonly LockstepPartner[],
  shared: readonly SharedIp[],
): Evidence | null {
  const rule = scene.policy.detectors.C1;
  const stray = scene.policy.clientRatio.strayProbability;
  const { client } = profile;
  if (client === undefined) return null;
  const spoken = new Set(tellingIps(shared).ips.flatMap((s) => s.others.map((other) => other.owner)));
  const group = new Map<Id, { same: boolean; partner: LockstepPartner }>();
  for (const partner of partners) {
    const comparable = scene.kindOf(partner.member) === scene.kindOf(profile.facts.member);
    if (!comparable || spoken.has(partner.owner)) continue;
    const other = mainClient(scene, partner.key);
    if (other === undefined) continue;
    if (!group.has(partner.owner)) group.set(partner.owner, { same: other === client, partner });
  }
  const same = [...group.values()].filter((entry) => entry.same);
  if (same.length < rule.minPartners) return null;
  const counted = { owners: group.size + 1, showing: same.length + 1 };
  const rate = scene.rates.rate(client, profile.network, counted);
  const ratio =
    same.length * Math.log((1 - stray + stray * rate) / rate) + (group.size - same.length) * Math.log(stray);
  const strength = Math.max(...same.map((entry) => entry.partner.strength));
  const days = same.flatMap((entry) => entry.partner.days);
  const exchanges = same.map((entry) => entry.partner.member);
  const nats = rule.weight * ratio * strength * scene.decayOf(Math.max(...days));
  return evidence('C1', rule.cap, nats, days, { owners: same.length, exchanges: new Set(exchanges).size }, exchanges);
}

function mainClient(scene: Scene, key: Id): Id | undefined {
  return scene.neighbourhood.mainClients?.get(key) ?? profileOf(scene, key)?.client;
}
