import type { Address } from '../world/addresses.js';
import type { Program } from '../world/clients.js';
import type { Schedule, Site, Temper } from '../world/model.js';
import { DAY_HOURS } from '../world/time.js';
import type { World } from '../world/world.js';
import type { SharedNetworks } from './shared-networks.js';
import { customer, lend, type Terms } from './lending.js';

/** Keys that one owner hands over, on average: sizes are given in keys, shares in owners. */
const KEYS_PER_OWNER = 1.9;
/** Longest time from a new key to its first use by the operator. */
const REISSUE_HOURS = 6;
const WEEK_HOURS = 7 * DAY_HOURS;

/** What makes one operator. */
export interface Operation {
  segment: string;
  owners: number;
  lockstep: boolean;
  addresses: number;
  /** Moves to new addresses about once a week. */
  rotates?: boolean;
  /** Draws a client by base rates for each key and day, to pass for unrelated people. */
  shuffled?: boolean;
  /** Share of use rises slowly, beside the lender's own, over so many hours. */
  ramp?: number;
  /** Leaves through a carrier's NAT. */
  carriers?: SharedNetworks['carriers'];
  /** Strangers' addresses that its customers register as well, to make those look shared. */
  victims?: readonly Address[];
  /** Each exchange sees one or two of its keys. */
  split?: boolean;
  /** Keys end part-way, and the same owner's new key takes their place. */
  reissues?: boolean;
}

/** The machinery behind an operation: where it runs, as what, and to which signal. */
interface Engine {
  sites: Site[];
  all: Address[];
  clients: Program[];
  schedule: Schedule;
  temper: Temper;
  stream: number;
  outage: number;
  follow: number;
}

/** Builds one operator with its customers. */
export function operation(world: World, plan: Operation): void {
  world.together(() => operate(world, plan));
}

function operate(world: World, plan: Operation): void {
  const engine = makeEngine(world, plan);
  const seats = plan.split ? splitSeats(world, plan.owners) : undefined;
  for (let place = 0; place < plan.owners; place++) {
    const members = seats?.[place];
    if (seats && !members) break;
    const who = customer(world, plan.segment, {
      ...(members ? { members } : {}),
      ...(plan.ramp ? { keepsUsing: true, fresh: false } : {}),
    });
    lend(world, who.lent, termsFor(world, plan, engine, who.onset));
    if (plan.reissues) reissue(world, plan, engine, who);
  }
}

function makeEngine(world: World, plan: Operation): Engine {
  const { random, distribution, signals } = world;
  const outage = signals.outageGroup(random, distribution.operatorOutageDays, 1.2);
  const { sites, all } = plan.carriers ? carrierSites(world, plan.carriers) : ownSites(world, plan);
  const program = random.chance(distribution.operatorDefaultClient) ? world.clients.library() : world.clients.own();
  const temper = world.temper();
  return {
    sites,
    all,
    clients: plan.shuffled ? Array.from({ length: 12 }, () => world.personProgram()) : [program],
    schedule: world.schedule(random.chance(0.8) ? 'always' : 'waking'),
    temper,
    stream: signals.stream(Math.max(1.5, world.spread(distribution.sharedBursts))),
    outage,
    follow: random.between(...distribution.follow),
  };
}

function ownSites(world: World, plan: Operation): { sites: Site[]; all: Address[] } {
  const { random, addresses } = world;
  const kind = (['hosting', 'residential', 'vpn'] as const)[random.weighted([0.8, 0.14, 0.06])]!;
  const together = random.chance(0.6);
  const block = () =>
    together
      ? addresses.takeBlock(kind, plan.addresses)
      : Array.from({ length: plan.addresses }, () => addresses.take(kind));
  const first = block();
  if (!plan.rotates) return { sites: first.map((address) => world.fixed(address)), all: first };
  const leases = first.map((address) => [{ from: -Infinity, address }]);
  for (let at = random.between(0, WEEK_HOURS); at < world.hours; at += WEEK_HOURS + random.between(-24, 24))
    block().forEach((address, place) => leases[place]!.push({ from: at, address }));
  return { sites: leases.map((list) => ({ kind: 'leases', leases: list })), all: [] };
}

function carrierSites(world: World, carriers: SharedNetworks['carriers']): { sites: Site[]; all: Address[] } {
  const pool = world.random.pick(carriers);
  const addresses = world.random.shuffled(pool.addresses).slice(0, 3);
  return { sites: [{ kind: 'pool', addresses, stay: 24, strays: [], stray: 0 }], all: addresses };
}

function termsFor(world: World, plan: Operation, engine: Engine, onset: number): Terms {
  const { random } = world;
  // A customer mostly has one machine of the operator; some are spread over all.
  const spread = engine.all.length > 1 && random.chance(0.3);
  const site: Site = spread
    ? { kind: 'pool', addresses: engine.all, stay: random.pick([1, 12, 48]), strays: [], stray: 0 }
    : random.pick(engine.sites);
  const also = [...(random.chance(0.7) ? engine.all : []), ...(plan.victims ?? [])];
  const private_ = world.signals.stream(engine.temper.bursts * 1.5);
  const lag = random.between(0, 20);
  return {
    onset,
    site,
    also: also.filter((address) => !(site.kind === 'pool' && site.addresses.includes(address))),
    clients: engine.clients,
    shuffleHours: random.pick([6, 24, 72]),
    schedule: random.chance(0.93) ? engine.schedule : world.schedule(),
    temper: { ...engine.temper, bursts: engine.temper.bursts * (plan.lockstep ? 0.25 : 0.6) },
    follows: plan.lockstep
      ? [
          {
            stream: engine.stream,
            chance: Math.min(0.99, engine.follow + random.between(-0.08, 0.03)),
            lag: [lag, lag + 6],
          },
        ]
      : [{ stream: private_, chance: 0.9, lag: [0, 20] }],
    outages: [engine.outage],
    ...(plan.ramp ? { ramp: plan.ramp } : {}),
  };
}

/** Which members each of `owners` people uses, so that no member sees more than two keys: each person is on two. */
function splitSeats(world: World, owners: number): number[][] {
  const seats = world.random.shuffled([0, 1, 2, 3, 4]);
  // Neighbours on a ring of five: every member is used by exactly two of five people.
  return Array.from({ length: Math.min(owners, 5) }, (_, place) => [seats[place]!, seats[(place + 1) % 5]!]);
}

function reissue(world: World, plan: Operation, engine: Engine, who: ReturnType<typeof customer>): void {
  const { random } = world;
  const until = Math.min(world.hours, who.onset + random.between(0.35, 0.6) * (world.hours - who.onset));
  for (const key of who.lent) {
    key.expires = until;
    const again = world.key(who.owner, key.member, plan.segment, { created: until + random.between(0.5, 48) });
    if (again.created + REISSUE_HOURS >= world.hours) world.keys.pop();
    else lend(world, [again], termsFor(world, plan, engine, again.created + random.between(0.1, REISSUE_HOURS)));
  }
}

/**
 * Sizes, in owners, of the groups that a share of the population makes. A share too small for one group makes one with
 * the probability that keeps the expectation; a share for two or more makes at least two.
 */
export function groupSizes(world: World, owners: number, least: number, drawKeys: () => number): number[] {
  const { random } = world;
  if (owners < least) return random.chance(owners / least) ? [least] : [];
  const most = Math.max(least, Math.floor(owners / 2));
  const sizes: number[] = [];
  let left = owners;
  while (left >= least) {
    const size = Math.min(most, left, Math.max(least, Math.round(drawKeys() / KEYS_PER_OWNER)));
    sizes.push(size);
    left -= size;
  }
  if (left > 0) sizes[sizes.length - 1]! += left;
  return sizes;
}

/** Operators of the ordinary kind, seven in ten of which act in lockstep. */
export function operators(world: World, owners: number): void {
  const { random, distribution } = world;
  for (const size of groupSizes(world, owners, 4, () => world.spread(distribution.operatorKeys))) {
    const lockstep = random.chance(distribution.lockstepShare);
    const segment = lockstep ? 'operator_lockstep' : 'operator_independent';
    operation(world, { segment, owners: size, lockstep, addresses: random.whole(1, 4) });
  }
}
