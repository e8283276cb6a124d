import type { Owner, SimKey, Site } from '../world/model.js';
import { DAY_HOURS } from '../world/time.js';
import type { World } from '../world/world.js';
import { ownKeys, ownSite, ownUse, plainPerson, registerSite } from './people.js';

/** Bots at home: a residential address that changes, registered late each time. */
export function homeBots(world: World, owners: number): void {
  for (let left = owners; left > 0; left--) moverOr(world, 'home_bot', () => plainPerson(world, 'home_bot'));
}

/** Bots on one rented server each. */
export function ownServers(world: World, owners: number): void {
  for (let left = owners; left > 0; left--) moverOr(world, 'own_vps', () => plainPerson(world, 'own_vps'));
}

/** People with 3 to 10 servers, used at once. */
export function severalServers(world: World, owners: number): void {
  for (let left = owners; left > 0; left--) {
    moverOr(world, 'several_servers', () => {
      const owner = world.owner();
      runServers(world, owner, ownKeys(world, owner, 'several_servers'), world.random.whole(3, 10));
    });
  }
}

function runServers(world: World, owner: Owner, keys: readonly SimKey[], count: number): void {
  const { random, addresses } = world;
  const program = world.personProgram();
  const nearby = random.chance(0.5);
  const block = nearby
    ? addresses.takeBlock('hosting', count)
    : Array.from({ length: count }, () => addresses.take('hosting'));
  if (random.chance(0.3)) block[0] = addresses.take('residential');
  const follows = world.personFollows(owner);
  for (const key of keys) {
    block.forEach((address, place) => {
      world.register(key, address, key.created + random.between(0, 24) * place);
      world.lane(key, {
        site: world.fixed(address),
        program: random.chance(0.8) ? program : world.personProgram(),
        schedule: world.schedule(random.chance(0.6) ? 'always' : undefined),
        temper: world.alike({ ...owner.temper, requests: owner.temper.requests / 2 }),
        follows: follows.map((follow) => ({ ...follow, chance: follow.chance / 2 })),
        duty: Math.min(1, random.lognormal(0.2, 0.6)),
      });
    });
  }
}

/** One in fifty moves server, changes client, or both, at a date within the population; the old ways end or fade. */
function moverOr(world: World, kind: 'home_bot' | 'own_vps' | 'several_servers', stay: () => void): void {
  const { random } = world;
  if (!random.chance(world.distribution.moverShare)) return stay();
  const owner = world.owner();
  const keys = ownKeys(world, owner, 'mover');
  const at = random.between(0.15, 0.85) * world.hours;
  const before = ownSite(world, kind === 'home_bot' ? 'residential' : 'hosting');
  const change = random.weighted([0.5, 0.3, 0.2]);
  const after = change === 2 ? before : ownSite(world, random.chance(0.8) ? 'hosting' : 'residential');
  const program = world.personProgram();
  const overlap = random.chance(0.4) ? random.logUniform(1, 72) : 0;
  ownUse(world, owner, keys, { site: before, program, to: Math.min(world.hours, at + overlap) });
  if (after !== before) {
    const delay = random.chance(0.7) ? -random.between(0, 24) : random.logUniform(0.3, 24);
    const addresses = after.kind === 'leases' ? after.leases : [];
    addresses.forEach(({ from, address }) => {
      for (const key of keys) world.register(key, address, Math.max(at, from) + delay);
    });
  }
  ownUse(world, owner, keys, {
    site: after,
    program: change === 1 ? program : world.personProgram(),
    from: at,
    registered: true,
  });
}

/** Two to four people behind one home router, each with own bots; some set up alike by one of them. */
export function households(world: World, owners: number): void {
  for (let left = owners; left > 0;) {
    const size = Math.min(left, world.random.whole(2, 4));
    const site = ownSite(world, 'residential');
    const group = world.newGroup();
    const router = world.signals.outageGroup(world.random, 20, 1);
    const shared = world.random.chance(0.4) ? world.personProgram() : undefined;
    for (let i = 0; i < size; i++) {
      const owner = world.together(() => world.owner(), group);
      const keys = ownKeys(world, owner, 'household');
      ownUse(world, owner, keys, { site, outages: [router], ...(shared ? { program: shared } : {}) });
    }
    left -= size;
  }
}

/**
 * People who run one signal: a leader's bursts, each follower's within half a minute, from own servers or homes;
 * seven in ten with the leader's bot code, with all that code's quirks.
 */
export function signalFollowers(world: World, owners: number): void {
  const { random } = world;
  for (let left = owners; left > 0;) {
    const size = Math.min(left, Math.max(4, Math.round(random.lognormal(11, 0.6))));
    const group = world.newGroup();
    const stream = world.signals.stream(world.spread(world.distribution.sharedBursts));
    const code = random.chance(0.5) ? world.clients.own() : world.clients.downloaded();
    for (let i = 0; i < size; i++) {
      const owner = world.together(() => world.owner(), group);
      const keys = ownKeys(world, owner, 'signal_follower');
      const site = ownSite(world, random.chance(0.7) ? 'hosting' : 'residential');
      registerSite(world, owner, keys, site);
      const lag = random.between(0, 15);
      const sameCode = random.chance(0.7);
      for (const key of keys)
        world.lane(key, {
          site,
          program: sameCode ? code : world.personProgram(),
          schedule: world.schedule(random.chance(0.75) ? 'always' : undefined),
          temper: world.alike({ ...owner.temper, bursts: owner.temper.bursts * 0.4 }),
          follows: [{ stream, chance: random.between(0.5, 0.97), lag: [lag, lag + 15] }],
        });
    }
    left -= size;
  }
}

/** Read-only keys at portfolio trackers; a quarter of the services are not registered as aggregators. */
export function trackers(world: World, owners: number): void {
  const { random, addresses } = world;
  const services = Array.from({ length: Math.max(2, Math.round(owners / 50)) }, (_, place) => ({
    group: world.newGroup(),
    weight: 1 / (place + 1),
    type: random.chance(0.75) ? ('aggregator' as const) : ('individual' as const),
    block: addresses.takeBlock('hosting', random.whole(1, 6)),
    program: random.chance(0.6) ? world.clients.own() : world.clients.library(),
    every: random.pick([1, 1, 2, 4]),
    down: world.signals.outageGroup(random, 25, 0.7),
  }));
  for (let left = owners; left > 0; left--) {
    const service = services[random.weighted(services.map(({ weight }) => weight))]!;
    const owner = world.together(() => world.owner({ fewKeys: true }), service.group);
    for (const { member } of owner.accounts) {
      const key = world.key(owner, member, 'tracker', { type: service.type, permissions: ['read'] });
      for (const address of service.block) world.register(key, address, key.created);
      world.lane(key, {
        site: { kind: 'pool', addresses: service.block, stay: random.pick([1, 6, 24]), strays: [], stray: 0 },
        program: service.program,
        schedule: world.schedule('sparse'),
        temper: { orders: 0, requests: random.lognormal(6, 0.5), bursts: 0, market: 0, clock: 0 },
        outages: [service.down],
        duty: 1 / service.every,
      });
    }
    // Most also trade by a bot of their own, with other keys.
    if (random.chance(0.4)) {
      const kind = random.chance(0.6) ? 'home_bot' : 'own_vps';
      const keys = owner.accounts.map(({ member }) => world.key(owner, member, kind));
      ownUse(world, owner, keys, { site: ownSite(world, kind === 'home_bot' ? 'residential' : 'hosting') });
    }
  }
}

/** Companies and market makers: many servers, much traffic; some are two legal persons on one set of machines. */
export function companies(world: World, owners: number): void {
  const { random, addresses } = world;
  for (let left = owners; left > 0;) {
    const size = Math.min(left, random.chance(0.3) ? 2 : 1);
    const type = random.chance(0.5) ? ('market_maker' as const) : ('corporate' as const);
    const group = world.newGroup();
    const block = addresses.takeBlock('hosting', random.whole(2, 6));
    const program = world.clients.own();
    for (let i = 0; i < size; i++) {
      const owner = world.together(
        () => world.owner({ members: world.memberships(random.whole(2, 5)), fewKeys: true }),
        group,
      );
      const temper = { ...owner.temper, orders: random.lognormal(60, 0.8), requests: random.lognormal(600, 0.7) };
      for (const { member } of owner.accounts) {
        const key = world.key(owner, member, 'corporate', { type });
        for (const address of block) {
          world.register(key, address, key.created);
          world.lane(key, {
            site: world.fixed(address),
            program,
            schedule: { ...world.schedule('always'), density: 1 },
            temper: world.alike(temper),
            follows: world.personFollows(owner),
            duty: random.between(0.3, 1),
          });
        }
      }
    }
    left -= size;
  }
}

/** Days a customer of a shared network keeps to one of its addresses. */
export const SHARED_STAY_HOURS = 3 * DAY_HOURS;

/** Sites of a pool: its addresses seen by one customer, who registers some and falls onto others now and then. */
export function poolSite(world: World, pool: Extract<Site, { kind: 'pool' }>, registered: number, stray: number): Site {
  const shuffled = world.random.shuffled(pool.addresses);
  return {
    kind: 'pool',
    addresses: shuffled.slice(0, registered),
    stay: pool.stay,
    strays: shuffled.slice(registered),
    stray,
  };
}
