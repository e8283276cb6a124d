import type { SimKey } from '../world/model.js';
import type { World } from '../world/world.js';
import { ownKeys, ownSite, ownUse } from './people.js';

/** The member that lies, where a population has one: the smallest. */
export const LIAR = 4;

/** Keys that no customer has: invented to frame a rival's. They are neither innocent nor lent. */
export const FABRICATED = 'fabricated';

/**
 * A member that invents keys of people who do not exist, seen at the address, with the client and in the bursts of a
 * rival's customer who is its own customer too. The victim is innocent.
 */
export function lyingExchange(world: World, owners: number): void {
  for (let left = owners; left > 0; left--) world.together(() => lie(world));
}

function lie(world: World): void {
  const { random } = world;
  const rival = random.whole(0, LIAR - 1);
  const victim = world.owner({ members: [rival, LIAR] });
  const site = ownSite(world, 'hosting');
  const program = world.personProgram();
  const schedule = world.schedule('always');
  ownUse(world, victim, ownKeys(world, victim, 'lied_about'), { site, program, schedule });
  for (let fake = random.whole(4, 12); fake > 0; fake--) {
    const nobody = world.owner({ members: [LIAR], fewKeys: true });
    const key: SimKey = world.key(nobody, LIAR, FABRICATED);
    for (const address of site.kind === 'leases' ? site.leases : []) world.register(key, address.address, key.created);
    world.lane(key, {
      site,
      program,
      schedule,
      temper: { ...victim.temper, bursts: 0.5 },
      follows: [{ stream: victim.stream, chance: 0.9, lag: [0, 20] }],
    });
  }
}
