import { BongsuError, POPULATION_MEMBERS, type KeyRecord, type TruthRecord, type UsageRecord } from '@app/protocol';
import { DISTRIBUTIONS, MIX_NAMES, type DistributionName, type Mix } from './distribution.js';
import { farms, evasive } from './segments/farms.js';
import {
  companies,
  homeBots,
  households,
  ownServers,
  severalServers,
  signalFollowers,
  trackers,
} from './segments/innocent.js';
import { lendPairs, relays } from './segments/lending.js';
import { lyingExchange } from './segments/lying-exchange.js';
import { groupSizes, operation, operators, type Operation } from './segments/operators.js';
import { plainPerson } from './segments/people.js';
import { cloudNat, mobileNat, officeNat, vpnExits } from './segments/shared-networks.js';
import { Activity } from './world/activity.js';
import { Random } from './world/random.js';
import { DAY_HOURS, isoAt } from './world/time.js';
import { World } from './world/world.js';

export interface PopulationOptions {
  /** People. A few more come with the groups that need a borrower or a victim. */
  owners: number;
  days: number;
  seed: number;
  /** First day, `YYYY-MM-DD`, from 00:00 UTC. Default 2026-06-01. */
  start?: string;
  /** Set of assumptions: `a` for fitting (default), `b` for judging. */
  distribution?: DistributionName;
  /** Shares of owners that replace the distribution's, as fractions: `{ operator: 0.08 }`. The rest is scaled to fit. */
  mix?: Partial<Mix>;
}

/** The usage of one member on one day, sorted by hour. */
export interface MemberDay {
  member: string;
  /** Day of the population, from 0. */
  day: number;
  usage: UsageRecord[];
}

/** A line of `groups.jsonl`, a file of this simulator's own beside the truth. */
export interface GroupRecord {
  member: string;
  access_key: string;
  group: number;
}

/** A population: known people and keys, and usage drawn day by day as it is asked for. */
export interface PopulationStream {
  options: Required<Omit<PopulationOptions, 'mix'>> & { mix: Mix };
  members: readonly string[];
  /** Keys, lent keys. */
  counts: { keys: number; lent: number };
  /** Members in their order, keys by access key. */
  keys(): Iterable<{ member: string; key: KeyRecord }>;
  truth(): Iterable<TruthRecord>;
  /** Which keys hang together (one operator, household, shared address, or owner): not independent of each other. */
  groups(): Iterable<GroupRecord>;
  /** Each day's members in turn. One day is held in memory at a time; every call draws the same rows again. */
  usage(): Iterable<MemberDay>;
}

const DEFAULT_START = '2026-06-01';
/** From this size on a population has a service of a thousand keys. */
const LARGE_SERVICE_FROM = 15_000;

/**
 * A labelled population, a function of its options alone.
 * @throws {BongsuError} BAD_INPUT when an option does not fit
 */
export function generatePopulation(options: PopulationOptions): PopulationStream {
  const complete = check(options);
  const { owners, days, seed, start, distribution: name, mix } = complete;
  const label = `${name}/${owners}/${days}/${seed}`;
  const distribution = DISTRIBUTIONS[name];
  const world = new World(new Random('population', label), label, days, distribution);
  populate(world, owners, mix);
  world.finish();
  const startMs = Date.parse(`${start}T00:00:00Z`);
  const members: readonly string[] = POPULATION_MEMBERS;
  // By access key, which is random: no order of the files says how a key was made.
  const ordered = world.keys
    .filter((key) => key.created < world.hours)
    .sort((a, b) => a.member - b.member || (a.accessKey < b.accessKey ? -1 : 1));
  const iso = (hours: number) => isoAt(startMs, hours);
  return {
    options: complete,
    members,
    counts: { keys: ordered.length, lent: ordered.filter(({ onset }) => onset !== null).length },
    *keys() {
      for (const key of ordered)
        yield {
          member: members[key.member]!,
          key: {
            access_key: key.accessKey,
            owner: key.owner.id,
            account_type: key.accountType,
            permissions: key.permissions,
            allowed_ips: key.entries
              .filter(({ added }) => added < world.hours)
              .map(({ ip, added, removed }) => ({
                ip,
                added_at: iso(added),
                removed_at: removed === null || removed >= world.hours ? null : iso(Math.max(removed, added)),
              })),
            created_at: iso(key.created),
            expires_at: iso(key.expires),
          },
        };
    },
    *truth() {
      for (const { member, accessKey, segment, onset } of ordered)
        yield {
          member: members[member]!,
          access_key: accessKey,
          segment,
          lent: onset !== null,
          onset: onset === null ? null : iso(Math.max(0, onset)),
        };
    },
    *groups() {
      for (const { member, accessKey, owner } of ordered)
        yield { member: members[member]!, access_key: accessKey, group: owner.group };
    },
    *usage() {
      const activity = new Activity(world, label, startMs, distribution.clientKinds);
      for (let day = 0; day < days; day++) {
        // Streams of a day are shared by all keys, so every member's day is drawn before the first is given out.
        const drawn = members.map(() => Array.from({ length: DAY_HOURS }, (): UsageRecord[] => []));
        for (const key of ordered) activity.keyDay(key, day, drawn[key.member]!);
        for (const [place, member] of members.entries()) yield { member, day, usage: drawn[place]!.flat() };
      }
    },
  };
}

function check(options: PopulationOptions): PopulationStream['options'] {
  const { owners, days, seed, start = DEFAULT_START, distribution = 'a' } = options;
  const whole = (value: number, name: string, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most)
      throw new BongsuError('BAD_INPUT', `${name} must be a whole number from ${least} to ${most}.`, name);
  };
  whole(owners, 'owners', 1, 1_000_000);
  whole(days, 'days', 1, 366);
  whole(seed, 'seed', 0, Number.MAX_SAFE_INTEGER);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(start) || new Date(`${start}T00:00:00Z`).toJSON()?.slice(0, 10) !== start)
    throw new BongsuError('BAD_INPUT', 'start must be a date, YYYY-MM-DD.', 'start');
  if (!Object.hasOwn(DISTRIBUTIONS, distribution))
    throw new BongsuError(
      'BAD_INPUT',
      `distribution must be one of ${Object.keys(DISTRIBUTIONS).join(', ')}.`,
      'distribution',
    );
  return { owners, days, seed, start, distribution, mix: mixOf(distribution, owners, options.mix ?? {}) };
}

/** The shares in force, as fractions that sum to 1: overrides as given, the others scaled to what is left. */
function mixOf(distribution: DistributionName, owners: number, overrides: Partial<Mix>): Mix {
  const base: Mix = { ...DISTRIBUTIONS[distribution].mix };
  if (owners >= LARGE_SERVICE_FROM && base.operator_large === 0) base.operator_large = (100 * 500) / owners;
  for (const [name, share] of Object.entries(overrides))
    if (!MIX_NAMES.includes(name as (typeof MIX_NAMES)[number]) || !(share >= 0 && share <= 1))
      throw new BongsuError('BAD_INPUT', `"${name}": a known segment and a share from 0 to 1 are needed.`, 'mix');
  const given = Object.values(overrides).reduce((sum, share) => sum + share, 0);
  if (given > 1) throw new BongsuError('BAD_INPUT', 'The shares sum to more than 1.', 'mix');
  const others = MIX_NAMES.filter((name) => overrides[name] === undefined);
  const rest = others.reduce((sum, name) => sum + base[name], 0);
  const scaled = others.map((name) => [name, rest > 0 ? (base[name] / rest) * (1 - given) : 0] as const);
  return { ...base, ...Object.fromEntries(scaled), ...overrides };
}

/** Fills a world: shared networks first, since camouflage needs them; then everyone else. */
function populate(world: World, owners: number, mix: Mix): void {
  const { random } = world;
  const people = (share: number) => {
    const exact = share * owners;
    return Math.floor(exact) + (random.chance(exact % 1) ? 1 : 0);
  };
  const carriers = mobileNat(world, people(mix.mobile_nat));
  officeNat(world, people(mix.office_nat));
  vpnExits(world, people(mix.vpn_exit));
  cloudNat(world, people(mix.cloud_nat));
  homeBots(world, people(mix.home_bot));
  ownServers(world, people(mix.own_vps));
  severalServers(world, people(mix.several_servers));
  trackers(world, people(mix.tracker));
  households(world, people(mix.household));
  signalFollowers(world, people(mix.signal_follower));
  companies(world, people(mix.corporate));
  operators(world, mix.operator * owners);
  lendPairs(world, people(mix.lend_pair));
  farms(world, mix.farm * owners);
  evasive(world, mix.evasive * owners);
  relays(world, people(mix.relay));

  const adversary = (share: number, least: number, plan: (size: number) => Omit<Operation, 'owners'>) => {
    for (const size of groupSizes(world, share * owners, least, () => world.spread(world.distribution.operatorKeys)))
      operation(world, { owners: size, ...plan(size) });
  };
  adversary(mix.operator_rotating, 4, () => ({
    segment: 'operator_rotating',
    lockstep: random.chance(world.distribution.lockstepShare),
    addresses: random.whole(1, 3),
    rotates: true,
  }));
  adversary(mix.operator_shuffled, 5, () => ({
    segment: 'operator_shuffled',
    lockstep: random.chance(world.distribution.lockstepShare),
    addresses: random.whole(1, 2),
    shuffled: true,
  }));
  adversary(mix.operator_framing, 4, () => ({
    segment: 'operator_framing',
    lockstep: true,
    addresses: random.whole(1, 2),
    victims: victims(world),
  }));
  adversary(mix.operator_ramp, 4, () => ({
    segment: 'operator_ramp',
    lockstep: random.chance(world.distribution.lockstepShare),
    addresses: random.whole(1, 3),
    ramp: world.hours * 0.5,
  }));
  for (const size of groupSizes(world, mix.operator_split * owners, 5, () => 8))
    operation(world, {
      segment: 'operator_split',
      owners: Math.min(size, 5),
      lockstep: true,
      addresses: 1,
      split: true,
    });
  adversary(mix.operator_camouflage, 4, () => ({
    segment: 'operator_camouflage',
    lockstep: random.chance(world.distribution.lockstepShare),
    addresses: 0,
    carriers,
  }));
  adversary(mix.operator_reissue, 4, () => ({
    segment: 'operator_reissue',
    lockstep: true,
    addresses: random.whole(1, 2),
    reissues: true,
  }));
  const large = Math.round(mix.operator_large * owners);
  if (large > 0)
    operation(world, { segment: 'operator_large', owners: large, lockstep: true, addresses: random.whole(4, 8) });
  lyingExchange(world, people(mix.lying_exchange));
}

/** Innocent people on servers of their own, whose addresses an operator's customers will register. */
function victims(world: World) {
  return Array.from({ length: world.random.whole(2, 4) }, () => {
    const before = world.keys.length;
    plainPerson(world, 'own_vps', 'framed');
    const site = world.keys[before]!.lanes[0]!.site;
    return site.kind === 'leases' ? site.leases[0]!.address : site.addresses[0]!;
  });
}
