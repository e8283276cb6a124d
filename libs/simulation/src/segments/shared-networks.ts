import type { Site } from '../world/model.js';
import { DAY_HOURS } from '../world/time.js';
import type { World } from '../world/world.js';
import { poolSite, SHARED_STAY_HOURS } from './innocent.js';
import { ownKeys, ownUse } from './people.js';

type Pool = Extract<Site, { kind: 'pool' }>;

/** The shared networks of a population: camouflage needs those that innocent people really use. */
export interface SharedNetworks {
  carriers: Pool[];
}

/** A pool and how popular it is. */
interface Weighted {
  pool: Pool;
  group: number;
  weight: number;
}

/**
 * Addresses behind which `owners` meet as many to an address as wished on average, in pools of a few. Pools differ
 * much: a small one has a handful of people to an address, which is what an operator's machine looks like.
 */
function pools(
  world: World,
  kind: 'mobile' | 'vpn' | 'hosting',
  owners: number,
  perAddress: number,
  list: string,
): Weighted[] {
  const { random, addresses: book } = world;
  const count = Math.max(2, Math.round(owners / perAddress));
  const made: Weighted[] = [];
  for (let left = count; left > 0;) {
    const size = Math.min(left, random.whole(1, 5));
    const addresses = book.takeBlock(kind, size);
    for (const address of addresses) book.list(address, list, 0.55);
    made.push({
      pool: { kind: 'pool', addresses, stay: SHARED_STAY_HOURS, strays: [], stray: 0 },
      group: world.newGroup(),
      weight: size * random.lognormal(1, 0.9),
    });
    left -= size;
  }
  return made;
}

function choose(world: World, weighted: readonly Weighted[]): Weighted {
  return weighted[world.random.weighted(weighted.map(({ weight }) => weight))]!;
}

/** Carrier NAT: bots over mobile data; each registers some of the pool's addresses and is refused on the rest. */
export function mobileNat(world: World, owners: number): Pool[] {
  const { random } = world;
  const carriers = pools(world, 'mobile', owners, world.distribution.ownersPerAddress.mobile, 'carrier-nat');
  for (let left = owners; left > 0; left--) {
    const { pool, group } = choose(world, carriers);
    const owner = world.together(() => world.owner(), group);
    const site = poolSite(world, { ...pool, stay: random.whole(2, 72) }, random.whole(1, 3), 0.03);
    ownUse(world, owner, ownKeys(world, owner, 'mobile_nat'), { site });
  }
  return carriers.map(({ pool }) => pool);
}

/** Offices: colleagues behind one or two addresses, at work on weekdays, or with bots left running. */
export function officeNat(world: World, owners: number): void {
  const { random, distribution } = world;
  for (let left = owners; left > 0;) {
    const size = Math.min(left, Math.max(2, Math.round(world.spread(distribution.ownersPerAddress.office))));
    const addresses = world.addresses.takeBlock('residential', random.chance(0.25) ? 2 : 1);
    const site: Site = { kind: 'pool', addresses, stay: 2 * DAY_HOURS, strays: [], stray: 0 };
    const line = world.signals.outageGroup(random, 30, 1.5);
    const group = world.newGroup();
    for (let i = 0; i < size; i++) {
      const owner = world.together(() => world.owner(), group);
      const schedule = random.chance(0.6)
        ? { ...world.schedule('waking'), start: 8, length: 10, weekdays: true }
        : world.schedule();
      ownUse(world, owner, ownKeys(world, owner, 'office_nat'), { site, schedule, outages: [line] });
    }
    left -= size;
  }
}

/** VPN exits: each customer keeps to one exit, rarely two. */
export function vpnExits(world: World, owners: number): void {
  const { random } = world;
  const exits = pools(world, 'vpn', owners, world.distribution.ownersPerAddress.vpn, 'vpn-exit');
  for (let left = owners; left > 0; left--) {
    const { pool, group } = choose(world, exits);
    const owner = world.together(() => world.owner(), group);
    const site = poolSite(world, { ...pool, stay: random.whole(12, 240) }, random.chance(0.75) ? 1 : 2, 0.02);
    ownUse(world, owner, ownKeys(world, owner, 'vpn_exit'), { site });
  }
}

/** Cloud NAT: unrelated bots on a host's shared egress, most with a library's default client. */
export function cloudNat(world: World, owners: number): void {
  const { random, distribution } = world;
  const egress = pools(world, 'hosting', owners, distribution.ownersPerAddress.cloud, 'cloud-nat');
  for (let left = owners; left > 0; left--) {
    const { pool, group } = choose(world, egress);
    const owner = world.together(() => world.owner(), group);
    const site = poolSite(world, { ...pool, stay: random.whole(1, 48) }, random.whole(1, 3), 0.01);
    const program = random.chance(distribution.cloudDefault) ? world.clients.library() : world.personProgram();
    const schedule = random.chance(0.6) ? world.schedule('always') : world.schedule();
    ownUse(world, owner, ownKeys(world, owner, 'cloud_nat'), { site, program, schedule });
  }
}
