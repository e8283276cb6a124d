import { evidence, type Evidence } from '../evidence.js';
import type { Profile } from '../profile.js';
import type { OwnerOnIp, Scene } from '../scene.js';
import { attributed, membersOf, tellingIps, type SharedIp } from './shared-ips.js';

/**
 * N2: per address `weight · ln(1 + other owners) · scale`, weighted by the share of the traffic and by how long ago the
 * key last used it; then as much of it as the key's shared traffic makes its own.
 */
export function sharedEgress(scene: Scene, profile: Profile, shared: readonly SharedIp[]): Evidence | null {
  const rule = scene.policy.detectors.N2;
  const { ips, share } = tellingIps(shared);
  const whole = attributed(scene, share);
  if (whole === 0) return null;
  let weighted = 0;
  let shares = 0;
  const owners = new Map<number, OwnerOnIp>();
  const exchanges = new Set<number>();
  for (const s of ips) {
    weighted += s.own.share * rule.weight * Math.log(1 + s.weight) * s.scale * s.factor * scene.decayOf(s.own.lastDay);
    shares += s.own.share;
    for (const other of s.others) owners.set(other.owner, other);
    for (const member of membersOf(s.others)) exchanges.add(member);
  }
  const counts = { owners: owners.size, exchanges: exchanges.size, ips: ips.length };
  const days = ips.flatMap((s) => s.own.days);
  return evidence('N2', rule.cap, (weighted / shares) * whole, days, counts, exchanges);
}
