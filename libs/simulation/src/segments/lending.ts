import type { Address } from '../world/addresses.js';
import type { Program } from '../world/clients.js';
import type { Follow, Owner, Schedule, SimKey, Site, Temper } from '../world/model.js';
import { DAY_HOURS } from '../world/time.js';
import type { World } from '../world/world.js';
import { ownKeys, ownSite, ownUse, registerSite } from './people.js';

/** How a borrower uses a lent key. */
export interface Terms {
  onset: number;
  site: Site;
  /** Further addresses of the borrower that the lender registers at the same time. */
  also?: readonly Address[];
  clients: readonly Program[];
  /** With several clients: how long one is kept. */
  shuffleHours?: number;
  schedule: Schedule;
  temper: Temper;
  follows: Follow[];
  outages?: number[];
  ramp?: number;
}

/** Lends keys: the lender registers the borrower's machine, perhaps late, and the borrower's program starts at the onset. */
export function lend(world: World, keys: readonly SimKey[], terms: Terms): void {
  const { random, distribution } = world;
  const refused = random.chance(distribution.refusedShare);
  const wait = refused ? Math.min(world.spread(distribution.refusedHours), 10 * DAY_HOURS) : -random.between(0.1, 24);
  for (const key of keys) {
    key.onset = terms.onset;
    for (const [place, address] of placesFrom(terms.site, terms.onset).entries()) {
      // Later addresses of a borrower who moves are mostly announced before the move.
      const added =
        place === 0 ? terms.onset + wait : address.from + (random.chance(0.7) ? -1 : 1) * random.between(0.2, 20);
      for (const one of address.addresses) world.register(key, one, added + random.between(0, 0.2));
    }
    for (const address of terms.also ?? []) world.register(key, address, terms.onset + wait + random.between(0, 1));
    world.lane(key, {
      site: terms.site,
      program: terms.clients[0]!,
      ...(terms.clients.length > 1
        ? {
            clients: terms.clients.map((program) => ({ from: -Infinity, program })),
            shuffleHours: terms.shuffleHours ?? 24,
          }
        : {}),
      schedule: terms.schedule,
      temper: world.alike(terms.temper),
      follows: terms.follows,
      outages: terms.outages ?? [],
      from: Math.max(0, terms.onset),
      ...(terms.ramp ? { ramp: terms.ramp } : {}),
    });
  }
}

/** Addresses of a site that matter from a time on, each group with the time it comes into use. */
function placesFrom(site: Site, onset: number): { from: number; addresses: Address[] }[] {
  if (site.kind === 'pool') return [{ from: onset, addresses: site.addresses }];
  const { leases } = site;
  return leases
    .filter((_, place) => (leases[place + 1]?.from ?? Infinity) > onset)
    .map(({ from, address }) => ({ from, addresses: [address] }));
}

/** Somebody who lends keys to others, with the private use that goes with it. */
export interface Customer {
  owner: Owner;
  lent: SimKey[];
  onset: number;
}

/**
 * A person who lends: a key of every account, and half of the further ones. Some make the key for the purpose; others had
 * used it themselves, and half of those go on.
 */
export function customer(
  world: World,
  segment: string,
  options: { members?: readonly number[]; onset?: number; keepsUsing?: boolean; fresh?: boolean } = {},
): Customer {
  const { random, distribution } = world;
  const owner = world.owner(options.members ? { members: options.members, fewKeys: true } : {});
  const onset = options.onset ?? drawOnset(world);
  const fresh = options.fresh ?? random.chance(0.4);
  const created = () => (fresh ? { created: onset - random.between(0.5, 72) } : {});
  const lent: SimKey[] = [];
  const kept: SimKey[] = [];
  for (const { member, keys } of owner.accounts)
    for (let place = 0; place < keys; place++) {
      if (place === 0 || random.chance(0.5)) lent.push(world.key(owner, member, segment, { ...created(), onset }));
      else kept.push(world.key(owner, member, 'lender_own'));
    }
  const site = ownSite(world, random.chance(0.7) ? 'residential' : 'hosting');
  const program = world.personProgram();
  if (kept.length > 0) ownUse(world, owner, kept, { site, program });
  const keepsUsing = options.keepsUsing ?? random.chance(distribution.lenderKeepsUsing);
  if (!fresh || keepsUsing) ownUse(world, owner, lent, { site, program, ...(keepsUsing ? {} : { to: onset }) });
  else if (random.chance(0.7)) registerSite(world, owner, lent, site);
  return { owner, lent, onset };
}

/** When a customer comes: from the start, or some time in the first three quarters. */
export function drawOnset(world: World): number {
  const { random } = world;
  if (random.chance(world.distribution.lentFromStart))
    return random.chance(0.5) ? 0 : random.between(0, Math.min(DAY_HOURS, 0.5 * world.hours));
  return random.between(Math.min(DAY_HOURS, 0.5 * world.hours), 0.75 * world.hours);
}

/** Friends: the borrower runs the lender's keys beside own ones, from the own machine and mostly by the own program. */
export function lendPairs(world: World, lenders: number): void {
  for (let left = lenders; left > 0; left--) world.together(() => lendPair(world));
}

function lendPair(world: World): void {
  const { random } = world;
  const borrower = world.owner();
  const kind = random.chance(0.6) ? 'residential' : 'hosting';
  const site = ownSite(world, kind);
  const program = world.personProgram();
  const schedule = world.schedule();
  ownUse(world, borrower, ownKeys(world, borrower, 'borrower'), { site, program, schedule });
  const { lent, onset } = customer(world, 'lend_pair');
  lend(world, lent, {
    onset,
    site,
    clients: [random.chance(0.8) ? program : world.personProgram()],
    schedule,
    temper: { ...borrower.temper, bursts: borrower.temper.bursts * 0.3 },
    follows: [{ stream: borrower.stream, chance: random.between(0.4, 0.95), lag: [0, 20] }],
  });
}

/** Relays: the borrower's orders leave from the lender's own home. Nothing of the address tells; reported only. */
export function relays(world: World, lenders: number): void {
  const { random } = world;
  for (let left = lenders; left > 0; left--) {
    const owner = world.owner();
    const keys = ownKeys(world, owner, 'relay');
    const site = ownSite(world, 'residential');
    const program = world.personProgram();
    const onset = drawOnset(world);
    ownUse(world, owner, keys, { site, program, to: random.chance(0.5) ? world.hours : onset });
    const other = world.temper();
    const stream = world.signals.stream(other.bursts);
    for (const key of keys) {
      key.onset = Math.max(onset, key.created);
      world.lane(key, {
        site,
        program: random.chance(0.5) ? program : world.personProgram(),
        schedule: world.schedule(),
        temper: other,
        follows: [{ stream, chance: 0.8, lag: [0, 30] }],
        from: Math.max(0, key.onset),
      });
    }
  }
}
