import {
  burstCounts,
  inferClientKinds,
  lockstepCandidates,
  type Id,
  type KeyDay,
  type Neighbourhood,
} from '@app/correlation';
import type { Tx } from '@app/infrastructure/database';
import { NETWORKS, type Network, type Policy } from '@app/protocol';

const DAY_SECONDS = 86_400;

/** What is the same for every key of a pass: base rates of clients, and when which keys burst. */
export interface Background {
  clientOwners: Neighbourhood['clientOwners'];
  networkOwners: ReadonlyMap<Network, number>;
  clientKinds: ReadonlyMap<number, number>;
  keyDays: ReadonlyMap<Id, KeyDay[]>;
  windowKeys: ReadonlyMap<number, number>;
  activeKeys: ReadonlyMap<number, number>;
}

export async function loadBackground(tx: Tx, policy: Policy, asOf: number): Promise<Background> {
  const lastDay = Math.floor(asOf / DAY_SECONDS);
  const firstDay = lastDay - policy.lookBackDays + 1;
  const pairs = await tx.query<{ member: number; client: number }[]>(
    `SELECT DISTINCT f.member_id AS member, u.client_id AS client
     FROM day_uses u JOIN key_facts f USING (key_id) WHERE u.day BETWEEN $1 AND $2`,
    [firstDay, lastDay],
  );
  const clientKinds = inferClientKinds(pairs);
  const clients = await tx.query<{ client: number; network: number; kind: number; owners: string }[]>(
    `SELECT u.client_id AS client, u.network, k.kind, count(DISTINCT f.owner_id) AS owners
     FROM day_uses u JOIN key_facts f USING (key_id)
       JOIN unnest($3::int[], $4::int[]) k (member_id, kind) ON k.member_id = f.member_id
     WHERE u.day BETWEEN $1 AND $2 GROUP BY u.client_id, u.network, k.kind`,
    [firstDay, lastDay, [...clientKinds.keys()], [...clientKinds.values()]],
  );
  const networks = await tx.query<{ network: number; owners: string }[]>(
    `SELECT u.network, count(DISTINCT f.owner_id) AS owners
     FROM day_uses u JOIN key_facts f USING (key_id) WHERE u.day BETWEEN $1 AND $2 GROUP BY u.network`,
    [firstDay, lastDay],
  );
  return {
    clientKinds,
    clientOwners: clients.map((c) => ({ ...c, network: networkOf(c.network), owners: Number(c.owners) })),
    networkOwners: new Map(networks.map((n) => [networkOf(n.network), Number(n.owners)])),
    ...(await loadBursts(tx, firstDay, lastDay)),
  };
}

async function loadBursts(tx: Tx, firstDay: number, lastDay: number) {
  const rows = await tx.query<{ key: number; day: number; bursts: Buffer; concurrent: number; active: number }[]>(
    'SELECT key_id AS key, day, bursts, concurrent, active FROM key_days WHERE day BETWEEN $1 AND $2',
    [firstDay, lastDay],
  );
  const keyDays = new Map<Id, KeyDay[]>();
  for (const row of rows) {
    const days = keyDays.get(row.key);
    if (days) days.push(row);
    else keyDays.set(row.key, [row]);
  }
  return { keyDays, ...burstCounts(rows) };
}

/** The keys that share enough rare burst windows with a seed to be compared with it; of all seeds together. */
export function candidatesOf(
  background: Background,
  seeds: readonly Id[],
  owners: ReadonlyMap<Id, Id>,
  policy: Policy,
  asOf: number,
): Set<Id> {
  const found = lockstepCandidates(seeds, [...background.keyDays.values()].flat(), {
    search: policy.lockstepSearch,
    windowKeys: background.windowKeys,
    ownerOf: (key) => owners.get(key),
    asOf,
    clockMinutes: policy.detectors.S1.clockMinutes,
  });
  return new Set([...found.values()].flat());
}

export function networkOf(index: number): Network {
  return NETWORKS[index] ?? 'unknown';
}
