import { evidence, type Evidence } from '../evidence.js';
import type { Profile } from '../profile.js';
import type { Scene } from '../scene.js';
import { attributed, membersOf, tellingIps, type SharedIp } from './shared-ips.js';

/**
 * N4: owners, the key's own included, who each drive keys of several exchanges from one address of the key where one
 * operator is at work: `weight · ln(owners) · scale`, at the address that says most. One exchange alone cannot see it.
 */
export function crossExchangeFanout(scene: Scene, profile: Profile, shared: readonly SharedIp[]): Evidence | null {
  const rule = scene.policy.detectors.N4;
  const { ips, share } = tellingIps(shared);
  const whole = attributed(scene, share);
  let best: Evidence | null = null;
  for (const s of ips) {
    const me = s.view.owners.get(profile.facts.owner);
    const fanned = [...s.others, ...(me ? [me] : [])].filter((owner) => owner.members.length >= rule.minExchanges);
    if (fanned.length < rule.minOwners) continue;
    const nats = rule.weight * Math.log(fanned.length) * s.scale * s.factor * whole * scene.decayOf(s.own.lastDay);
    const exchanges = membersOf(fanned);
    const counts = { owners: fanned.length, exchanges: exchanges.size };
    const found = evidence('N4', rule.cap, nats, s.own.days, counts, exchanges);
    if (found && (!best || found.nats > best.nats)) best = found;
  }
  return best;
}
