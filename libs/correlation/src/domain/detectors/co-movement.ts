import { popcount } from '../decay.js';
import { evidence, type Evidence } from '../evidence.js';
import type { Id } from '../neighbourhood.js';
import type { Profile } from '../profile.js';
import { accepted, type Scene } from '../scene.js';

/** Another owner who is where the key is, when it is there. */
export interface CoMover {
  owner: Id;
  /** Share of the key's traffic on the IPs and hours shared, 0 to 1. */
  share: number;
  /** Prefixes of addresses that they used one after the other. */
  prefixes: number;
  hours: number;
  days: number[];
}

/** Who moves with a key, and how many other owners were met on its addresses at all. */
export interface Company {
  movers: CoMover[];
  met: number;
}

interface Meeting {
  traffic: number;
  hours: number;
  days: Set<number>;
  ips: Set<Id>;
}

interface IpDay {
  ip: Id;
  day: number;
  hours: number;
  traffic: number;
}

const ALONE: Company = { movers: [], met: 0 };

/**
 * Owners who share at least the policy's part of the key's traffic, hour by hour, over several prefixes and days, at
 * addresses that come one after the other. Without the alignment in time nearly everyone behind one carrier or VPN
 * would qualify; without the succession, everyone in a pool of two or three addresses would. Addresses on a warning
 * list or with too many keys are left out; those whose clients look unrelated are not, because movement shows an
 * operator who shuffles its clients.
 */
export function companyOf(scene: Scene, profile: Profile): Company {
  const rule = scene.policy.detectors.N3;
  const rows = ownIpDays(scene, profile);
  if (new Set(rows.map((row) => scene.prefixOf(row.ip))).size < rule.minPrefixes) return ALONE;
  const meetings = meet(scene, profile, rows);
  const traffic = rows.reduce((sum, row) => sum + row.traffic, 0);
  const movers: CoMover[] = [];
  for (const [owner, m] of meetings) {
    const share = m.traffic / traffic;
    if (share < rule.minTrafficShare || m.ips.size < rule.minPrefixes) continue;
    if (m.hours < rule.minHours || m.days.size < rule.minDays) continue;
    const prefixes = succession(scene, m.ips);
    if (prefixes < rule.minPrefixes) continue;
    const days = [...m.days].sort((a, b) => a - b);
    movers.push({ owner, share, prefixes, hours: m.hours, days });
  }
  movers.sort((a, b) => b.share - a.share || a.owner - b.owner);
  return { movers, met: meetings.size };
}

function meet(scene: Scene, profile: Profile, rows: readonly IpDay[]): Map<Id, Meeting> {
  const meetings = new Map<Id, Meeting>();
  for (const row of rows) {
    const view = scene.ip(row.ip);
    if (view.crowd === 'warning_list' || view.crowd === 'too_many_keys') continue;
    const present = view.days.get(row.day);
    if (!present || present.size > scene.policy.limits.ownersPerIpDay) continue;
    const active = popcount(row.hours);
    for (const [owner, mask] of present) {
      const hours = popcount(mask & row.hours);
      if (owner === profile.facts.owner || hours === 0) continue;
      let meeting = meetings.get(owner);
      if (!meeting) {
        meeting = { traffic: 0, hours: 0, days: new Set(), ips: new Set() };
        meetings.set(owner, meeting);
      }
      meeting.traffic += (row.traffic * hours) / active;
      meeting.hours += hours;
      meeting.days.add(row.day);
      meeting.ips.add(row.ip);
    }
  }
  return meetings;
}

/**
 * The longest run of different prefixes among addresses that come one after the other: everybody has left the one when
 * the next comes into use. A pool of addresses that are all in use all the time is a place, not a journey.
 */
function succession(scene: Scene, ips: Iterable<Id>): number {
  const views = [...ips].map((ip) => ({ prefix: scene.prefixOf(ip), ...spanOf(scene.ip(ip).days.keys()) }));
  views.sort((a, b) => a.last - b.last || a.first - b.first);
  const prefixes = new Set<Id>();
  let left = -Infinity;
  for (const { prefix, first, last } of views) {
    if (first <= left - scene.policy.detectors.N3.maxOverlapDays) continue;
    prefixes.add(prefix);
    left = last;
  }
  return prefixes.size;
}

function spanOf(days: Iterable<number>): { first: number; last: number } {
  let [first, last] = [Infinity, -Infinity];
  for (const day of days) {
    first = Math.min(first, day);
    last = Math.max(last, day);
  }
  return { first, last };
}

/** The key's own accepted traffic per IP and day, aged, its clients taken together. */
function ownIpDays(scene: Scene, profile: Profile): IpDay[] {
  const rows: IpDay[] = [];
  for (const use of profile.uses) {
    const requests = accepted(use);
    if (requests === 0) continue;
    const traffic = requests * scene.decayOf(use.day);
    const last = rows.at(-1);
    if (last && last.ip === use.ip && last.day === use.day) {
      last.hours |= use.hours;
      last.traffic += traffic;
    } else rows.push({ ip: use.ip, day: use.day, hours: use.hours, traffic });
  }
  return rows;
}

/**
 * N3: `weight · ln(1 + partners)`, scaled by the share of the key's traffic that the closest partner shares, and by
 * the partners' share of the owners met: where most others do not move along, the few who do are chance.
 */
export function coMovement(scene: Scene, profile: Profile, { movers, met }: Company): Evidence | null {
  const rule = scene.policy.detectors.N3;
  const closest = movers[0];
  if (!closest) return null;
  const days = movers.flatMap((mover) => mover.days);
  const last = Math.max(...closest.days);
  const scale = scene.policy.sharingScale[profile.network];
  const partners = Math.min(1, movers.length / met / rule.fullPartnerShare);
  const nats = rule.weight * Math.log(1 + movers.length) * closest.share * partners * scale * scene.decayOf(last);
  const exchanges = new Set<number>();
  for (const { ip } of profile.ips)
    for (const mover of movers) for (const m of scene.ip(ip).owners.get(mover.owner)?.members ?? []) exchanges.add(m);
  const counts = {
    owners: movers.length,
    exchanges: exchanges.size,
    prefixes: closest.prefixes,
    hours: closest.hours,
  };
  return evidence('N3', rule.cap, nats, days, counts, exchanges);
}
