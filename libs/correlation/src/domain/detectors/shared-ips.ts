import { ownContribution, subgroupRatio } from '../client-ratio.js';
import { clamp, DAY_SECONDS } from '../decay.js';
import type { Id } from '../neighbourhood.js';
import type { OwnIp, Profile } from '../profile.js';
import { sameClient, type IpView, type OwnerOnIp, type Scene } from '../scene.js';

/** What makes the other owners on an address one group with the key. */
export type GroupBasis = 'clients' | 'same_client' | 'partners' | 'none';

/** One address of the key with the owners there who count against it. */
export interface SharedIp {
  own: OwnIp;
  view: IpView;
  /** The other owners who count, heaviest first. */
  others: OwnerOnIp[];
  /** Their number, each weighted by recency. */
  weight: number;
  /** How surely they are one operation, 0 to 1. */
  scale: number;
  /** Factor by the address's network class, and for the owner who was there first. */
  factor: number;
  /** Whether the key's owner registered the address at least a day before everyone else in the group. */
  host: boolean;
  basis: GroupBasis;
}

const NOBODY = { others: [], weight: 0, scale: 0, basis: 'none' } as const;

/**
 * For each address of the key, the group of other owners that says most, of three: everyone there, as far as their
 * clients together look like one program and the key's own fits; those who show the key's own client, as far as they
 * are more than its base rate explains; and partners in lockstep or co-movement, however they shuffle their clients.
 * Addresses on a warning list or with too many keys have none.
 * @param partners owners in lockstep or co-movement with the key
 */
export function sharedIps(scene: Scene, profile: Profile, partners: ReadonlySet<Id>): SharedIp[] {
  return profile.ips.map((own) => {
    const view = scene.ip(own.ip);
    const factor = scene.policy.sharingScale[view.network];
    if (view.crowd === 'warning_list' || view.crowd === 'too_many_keys')
      return { own, view, factor, host: false, ...NOBODY, others: [] };
    const me = view.owners.get(profile.facts.owner);
    if (!me || view.owners.size < 2) return { own, view, factor, host: false, ...NOBODY, others: [] };
    const candidates = [groupByClients(scene, view, me), groupByOwnClient(scene, view, me)];
    const hiding = groupOfPartners(scene, view, me, partners);
    if (hiding) candidates.push(hiding);
    const best = candidates.reduce((a, b) => (strength(b) > strength(a) ? b : a));
    const host = best.scale > 0 && cameFirst(scene, profile, own.ip, best.others);
    return { own, view, ...best, host, factor: host ? factor * scene.policy.attribution.hostScale : factor };
  });
}

/** Whether the key's owner registered an address at least a day before everyone else in the group. */
function cameFirst(scene: Scene, profile: Profile, ip: Id, others: readonly OwnerOnIp[]): boolean {
  const { ours, theirs } = firstRegistrations(scene, profile, ip, others);
  return ours + DAY_SECONDS <= theirs;
}

/** When the key's owner, on any key, and the first of a group registered an address; Infinity for never. Seconds. */
export function firstRegistrations(
  scene: Scene,
  profile: Profile,
  ip: Id,
  others: readonly OwnerOnIp[],
): { ours: number; theirs: number } {
  const group = new Set(others.map((other) => other.owner));
  let ours = Infinity;
  let theirs = Infinity;
  for (const row of scene.allowOn(ip)) {
    const owner = scene.facts(row.key)?.owner;
    if (owner === profile.facts.owner) ours = Math.min(ours, row.addedAt);
    else if (owner !== undefined && group.has(owner)) theirs = Math.min(theirs, row.addedAt);
  }
  return { ours, theirs };
}

type Group = Pick<SharedIp, 'others' | 'weight' | 'scale' | 'basis'>;

function strength(group: Group): number {
  return group.scale * Math.log(1 + group.weight);
}

function groupByClients(scene: Scene, view: IpView, me: OwnerOnIp): Group {
  const { strayProbability, fullNats } = scene.policy.clientRatio;
  const own = ownContribution(view.mix, strayProbability, me.clients);
  const scale =
    view.ratio === null || own === null
      ? scene.policy.clientRatio.unknownScale
      : clamp(Math.min(view.ratio, own) / fullNats, 0, 1);
  return group(
    scale,
    'clients',
    othersOf(view, me, () => true),
  );
}

function groupByOwnClient(scene: Scene, view: IpView, me: OwnerOnIp): Group {
  const scale = clamp(subgroupRatio(view.mix, me.clients) / scene.policy.clientRatio.fullNats, 0, 1);
  return group(
    scale,
    'same_client',
    othersOf(view, me, (other) => sameClient(other, me)),
  );
}

function groupOfPartners(scene: Scene, view: IpView, me: OwnerOnIp, partners: ReadonlySet<Id>): Group | null {
  const { hidingOwners, hidingShare } = scene.policy.crowd;
  if (partners.size < hidingOwners) return null;
  const others = othersOf(view, me, (other) => partners.has(other.owner));
  if (others.length < hidingOwners || others.length < hidingShare * (view.owners.size - 1)) return null;
  return group(1, 'partners', others);
}

function group(scale: number, basis: GroupBasis, others: OwnerOnIp[]): Group {
  let weight = 0;
  for (const other of others) weight += other.weight;
  return { scale, basis: scale > 0 ? basis : 'none', others, weight };
}

function othersOf(view: IpView, me: OwnerOnIp, counts: (other: OwnerOnIp) => boolean): OwnerOnIp[] {
  const others: OwnerOnIp[] = [];
  for (const other of view.owners.values()) if (other.owner !== me.owner && counts(other)) others.push(other);
  return others.sort((a, b) => b.weight - a.weight || a.owner - b.owner);
}

/** The addresses whose group says something, and the share of the key's traffic they carry. */
export function tellingIps(shared: readonly SharedIp[]): { ips: SharedIp[]; share: number } {
  const ips = shared.filter((s) => s.scale > 0 && s.weight > 0);
  return {
    ips,
    share: Math.min(
      1,
      ips.reduce((sum, s) => sum + s.own.share, 0),
    ),
  };
}

/** A group's evidence as the key's own: nothing below the policy's share of its traffic, whole from the full share. */
export function attributed(scene: Scene, share: number): number {
  const { minTrafficShare, fullTrafficShare } = scene.policy.attribution;
  return share < minTrafficShare ? 0 : Math.min(1, share / fullTrafficShare);
}

/** Exchanges that hold the keys of these owners there. */
export function membersOf(owners: Iterable<OwnerOnIp>): Set<number> {
  const members = new Set<number>();
  for (const owner of owners) for (const member of owner.members) members.add(member);
  return members;
}
