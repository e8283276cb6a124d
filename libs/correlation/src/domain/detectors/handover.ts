import { dayOf } from '../decay.js';
import { evidence, type Evidence } from '../evidence.js';
import type { DayUse, Id } from '../neighbourhood.js';
import type { Profile } from '../profile.js';
import { accepted, type Scene } from '../scene.js';
import { firstRegistrations, tellingIps, type SharedIp } from './shared-ips.js';

interface Handover {
  day: number;
  newIps: Set<Id>;
  days: number[];
}

/**
 * K2: from some day on, addresses and clients that the key had never used carry its traffic, and the old ones are gone
 * for good. Worth the cap where other owners are at work on the new addresses; `aloneScale` of it where nobody is,
 * because people move servers. A key that was made for the purpose has no old address: where it was created within the
 * look-back and has worked only where other owners had registered before its owner did, `bornScale` of the cap.
 */
export function handover(scene: Scene, profile: Profile, shared: readonly SharedIp[]): Evidence | null {
  const rule = scene.policy.detectors.K2;
  const telling = tellingIps(shared).ips;
  const moved = findHandover(scene, profile);
  const found = moved ?? bornElsewhere(scene, profile, telling);
  if (!found) return null;
  const company = telling.filter((s) => found.newIps.has(s.own.ip));
  const sureness = Math.max(0, ...company.map((s) => s.scale));
  const scale = moved ? rule.aloneScale + (1 - rule.aloneScale) * sureness : rule.bornScale * sureness;
  const owners = new Set(company.flatMap((s) => s.others.map((other) => other.owner)));
  const exchanges = new Set(company.flatMap((s) => s.others.flatMap((other) => other.members)));
  const counts = { ips: found.newIps.size, owners: owners.size, exchanges: exchanges.size };
  return evidence('K2', rule.cap, rule.cap * scale * scene.decayOf(found.day), found.days, counts, exchanges);
}

function findHandover(scene: Scene, profile: Profile): Handover | null {
  const rule = scene.policy.detectors.K2;
  const uses = profile.uses.filter((use) => accepted(use) > 0);
  const days = [...new Set(uses.map((use) => use.day))];
  // A handover begins on a day that brings a new address.
  const starts = [...new Set(profile.ips.map((own) => own.firstDay))].sort((a, b) => b - a);
  for (const start of starts) {
    if (days.filter((day) => day < start).length < rule.minDaysBefore) continue;
    if (days.filter((day) => day >= start).length < rule.minDaysAfter) continue;
    const before = uses.filter((use) => use.day < start);
    const oldIps = new Set(before.map((use) => use.ip));
    const oldClients = new Set(before.map((use) => use.client));
    const isNew = (use: DayUse): boolean => !oldIps.has(use.ip) && !oldClients.has(use.client);
    const settled = uses.filter((use) => use.day >= start + rule.maxOverlapDays);
    const traffic = settled.reduce((sum, use) => sum + accepted(use), 0);
    const taken = settled.reduce((sum, use) => sum + (isNew(use) ? accepted(use) : 0), 0);
    if (traffic === 0 || taken < rule.minTrafficShare * traffic) continue;
    const newIps = new Set(settled.filter(isNew).map((use) => use.ip));
    return { day: start, newIps, days: [...new Set(settled.map((use) => use.day))] };
  }
  return null;
}

function bornElsewhere(scene: Scene, profile: Profile, telling: readonly SharedIp[]): Handover | null {
  const rule = scene.policy.detectors.K2;
  const created = dayOf(profile.facts.createdAt);
  if (created <= scene.asOfDay - scene.policy.lookBackDays) return null;
  const days = new Set(profile.ips.flatMap((own) => own.days));
  if (days.size < rule.minDaysAfter) return null;
  const theirs = telling.filter((s) => {
    const { ours, theirs } = firstRegistrations(scene, profile, s.own.ip, s.others);
    return theirs < ours;
  });
  const share = theirs.reduce((sum, s) => sum + s.own.share, 0);
  if (share < rule.minTrafficShare) return null;
  return { day: Math.min(...days), newIps: new Set(theirs.map((s) => s.own.ip)), days: [...days] };
}
