import type { Id } from './neighbourhood.js';

/** Share of the smaller exchange's clients that two exchanges must have in common to fingerprint alike. */
const COMMON_SHARE = 0.05;

/**
 * Groups exchanges by what they fingerprint clients by (JA4, User-Agent): those of one kind see the same values for the
 * same program, those of different kinds never do.
 * @param pairs which clients each exchange has seen; order and repeats do not matter
 * @returns for each exchange the lowest number among the exchanges of its kind
 */
export function inferClientKinds(pairs: Iterable<{ member: number; client: Id }>): Map<number, number> {
  const clients = new Map<number, Set<Id>>();
  for (const { member, client } of pairs) {
    let seen = clients.get(member);
    if (!seen) clients.set(member, (seen = new Set()));
    seen.add(client);
  }
  const members = [...clients.keys()].sort((a, b) => a - b);
  const kinds = new Map(members.map((member) => [member, member]));
  for (const a of members)
    for (const b of members) {
      if (b <= a || kinds.get(a) === kinds.get(b)) continue;
      if (!alike(clients.get(a)!, clients.get(b)!)) continue;
      const [kept, dropped] = [kinds.get(a)!, kinds.get(b)!].sort((x, y) => x - y) as [number, number];
      for (const [member, kind] of kinds) if (kind === dropped) kinds.set(member, kept);
    }
  return kinds;
}

function alike(a: ReadonlySet<Id>, b: ReadonlySet<Id>): boolean {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  let common = 0;
  for (const client of small) if (large.has(client)) common++;
  return common > 0 && common >= COMMON_SHARE * small.size;
}
