import type { AddressClass } from '../world/addresses.js';
import type { Owner, Schedule, SimKey, Site, Temper } from '../world/model.js';
import type { Program } from '../world/clients.js';
import { DAY_HOURS } from '../world/time.js';
import { MOST_ENTRIES, type World } from '../world/world.js';

/** An address at home or a rented server, with the life that its class has. */
export function ownSite(world: World, kind: AddressClass): Site {
  const { random, addresses } = world;
  if (kind !== 'residential') return world.fixed(addresses.take(kind));
  const leases = [{ from: -Infinity, address: addresses.take(kind) }];
  // The first lease began before the population did: its life is met part-way.
  let at = world.spread(world.distribution.homeLease) * DAY_HOURS * random.next();
  while (at < world.hours) {
    addresses.release(kind, leases[leases.length - 1]!.address);
    leases.push({ from: at, address: addresses.take(kind) });
    at += Math.max(6, world.spread(world.distribution.homeLease) * DAY_HOURS);
  }
  return { kind: 'leases', leases };
}

/**
 * Registers a site's addresses on an owner's keys: the first in time, each later one after the delay that people take.
 * Who tidies up removes the address before; who does not keeps it, and some from before the population too.
 * @param late whether later addresses are registered after they are first used
 */
export function registerSite(world: World, owner: Owner, keys: readonly SimKey[], site: Site): void {
  const { random, distribution } = world;
  const places = site.kind === 'leases' ? site.leases : site.addresses.map((address) => ({ from: -Infinity, address }));
  const moving = site.kind === 'leases';
  places.forEach(({ from, address }, place) => {
    const delay = random.logUniform(...distribution.registrationDelay);
    const next = moving ? places[place + 1] : undefined;
    const nextDelay = next ? random.between(0.5, 2) : 0;
    for (const key of keys) {
      const added = from === -Infinity ? key.created + random.between(0, 0.2) : from + delay + random.between(0, 0.3);
      const removed = next && !owner.stale ? next.from + delay + nextDelay : null;
      if (removed === null || removed > added) world.register(key, address, added, removed);
    }
  });
  if (owner.stale && moving)
    for (const key of keys)
      if (key.created < -20 * DAY_HOURS)
        for (let left = random.whole(1, 3); left > 0 && key.entries.length < MOST_ENTRIES; left--)
          world.register(key, staleAddress(world), random.between(key.created, -10 * DAY_HOURS));
}

/** An address somebody used once; some of these have gone to others since. */
function staleAddress(world: World) {
  const kind = world.random.chance(0.7) ? 'residential' : 'hosting';
  const address = world.addresses.take(kind);
  world.addresses.release(kind, address);
  return address;
}

/** What one person's own use looks like; missing parts are drawn. */
export interface Own {
  site: Site;
  program?: Program;
  schedule?: Schedule;
  temper?: Temper;
  from?: number;
  to?: number;
  outages?: number[];
  /** Registered by the caller already. */
  registered?: boolean;
}

/** Keys of one owner, all run by the owner's own program from one site. */
export function ownUse(world: World, owner: Owner, keys: readonly SimKey[], own: Own): void {
  const { random } = world;
  if (!own.registered) registerSite(world, owner, keys, own.site);
  const program = own.program ?? world.personProgram();
  const schedule = own.schedule ?? world.schedule();
  const follows = world.personFollows(owner);
  for (const key of keys) {
    const mine = random.chance(0.85) ? program : world.personProgram();
    const lane = world.lane(key, {
      site: own.site,
      program: mine,
      schedule: random.chance(0.75) ? schedule : world.schedule(),
      temper: world.alike(own.temper ?? owner.temper),
      follows,
      outages: own.outages ?? [],
      from: Math.max(0, key.created, own.from ?? 0),
      to: own.to ?? world.hours,
    });
    // Libraries are updated now and then, unnoticed by their users.
    if (random.chance(0.05))
      lane.clients.push({ from: random.between(0, world.hours), program: world.personProgram() });
  }
}

/** All keys of a person in one segment. */
export function ownKeys(world: World, owner: Owner, segment: string): SimKey[] {
  return owner.accounts.flatMap(({ member, keys }) =>
    Array.from({ length: keys }, () =>
      world.key(owner, member, segment, {
        ...(world.random.chance(0.04) ? { created: world.random.between(0, world.hours * 0.8) } : {}),
      }),
    ),
  );
}

/** A person like most: a bot at home or on a rented server. Used for everyone's private side, too. */
export function plainPerson(world: World, segment: 'home_bot' | 'own_vps', as: string = segment): Owner {
  const owner = world.owner();
  const keys = ownKeys(world, owner, as);
  ownUse(world, owner, keys, { site: ownSite(world, segment === 'home_bot' ? 'residential' : 'hosting') });
  return owner;
}
