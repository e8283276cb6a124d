import { DAY_HOURS } from '../world/time.js';
import type { Site } from '../world/model.js';
import type { World } from '../world/world.js';
import { customer, drawOnset, lend } from './lending.js';
import { groupSizes } from './operators.js';

/** Account farms: one program, many people's accounts, a residential proxy a key, nearly every burst followed. */
export function farms(world: World, owners: number): void {
  for (const size of groupSizes(world, owners, 4, () => world.spread(world.distribution.farmKeys)))
    world.together(() => farm(world, size));
}

function farm(world: World, size: number): void {
  const { random, distribution, signals } = world;

  const program = random.chance(0.4) ? world.clients.library() : world.clients.own();
  const stream = signals.stream(Math.max(2, world.spread(distribution.sharedBursts)));
  const outage = signals.outageGroup(random, distribution.operatorOutageDays, 1.2);
  const schedule = world.schedule(random.chance(0.8) ? 'always' : 'waking');
  const temper = world.temper();
  // Accounts are opened in batches.
  const batches = Array.from({ length: random.whole(1, 3) }, () => drawOnset(world));
  for (let place = 0; place < size; place++) {
    const onset = Math.min(random.pick(batches) + random.between(0, 18), 0.85 * world.hours);
    const { lent } = customer(world, 'farm', { onset, fresh: random.chance(0.75), keepsUsing: random.chance(0.1) });
    for (const key of lent)
      lend(world, [key], {
        onset,
        site: proxy(world),
        clients: [program],
        schedule,
        temper: { ...temper, bursts: temper.bursts * 0.2 },
        follows: [
          { stream, chance: Math.min(0.99, distribution.farmFollow + random.between(-0.06, 0.06)), lag: [0, 15] },
        ],
        outages: [outage],
      });
  }
}

/** A residential proxy: sticky for days or weeks, then another. */
function proxy(world: World): Site {
  const { random, addresses } = world;
  const leases = [{ from: -Infinity, address: addresses.take('residential') }];
  const life = random.lognormal(14, 0.8) * DAY_HOURS;
  for (let at = random.next() * life; at < world.hours; at += Math.max(24, life * random.lognormal(1, 0.3)))
    leases.push({ from: at, address: addresses.take('residential') });
  return { kind: 'leases', leases };
}

/** Evasive operators: an address a key, clients and times shuffled; what remains is the hour and the outages. */
export function evasive(world: World, owners: number): void {
  for (const size of groupSizes(world, owners, 4, () => world.spread(world.distribution.evasiveKeys)))
    world.together(() => evasiveOperator(world, size));
}

function evasiveOperator(world: World, size: number): void {
  const { random, distribution, signals } = world;

  const stream = signals.stream(Math.max(3, world.spread(distribution.sharedBursts)));
  const outage = signals.outageGroup(random, distribution.operatorOutageDays, 1.5);
  for (let place = 0; place < size; place++) {
    const { lent, onset } = customer(world, 'evasive');
    for (const key of lent) {
      const kind = (['hosting', 'residential', 'vpn'] as const)[random.weighted([0.55, 0.3, 0.15])]!;
      const temper = world.temper();
      lend(world, [key], {
        onset,
        site: world.fixed(world.addresses.take(kind)),
        clients: Array.from({ length: random.whole(1, 4) }, () => world.personProgram()),
        shuffleHours: random.pick([24, 72, 168]),
        schedule: world.schedule(random.chance(0.7) ? 'always' : undefined),
        temper: { ...temper, bursts: temper.bursts * 0.3 },
        follows: [{ stream, chance: random.between(0.65, 0.92), lag: [0, random.between(600, 2400)] }],
        outages: [outage],
      });
    }
  }
}
