import type { AllowRow, DayUse, Id, KeyDay, KeyFactsRow, KeyMemory, Neighbourhood } from '@app/correlation';
import type { Tx } from '@app/infrastructure/database';
import { ACCOUNT_TYPES, PERMISSIONS, RUNGS, type Policy } from '@app/protocol';
import { EDGE_KEY_IP } from '@app/signals';
import { candidatesOf, networkOf, type Background } from './background.js';

const DAY_SECONDS = 86_400;

/** Loads the rows around some keys in a few set-wide queries. */
export async function loadNeighbourhood(
  tx: Tx,
  seeds: readonly Id[],
  background: Background,
  policy: Policy,
  asOf: number,
): Promise<Neighbourhood> {
  const lastDay = Math.floor(asOf / DAY_SECONDS);
  const firstDay = lastDay - policy.lookBackDays + 1;
  const own = await loadUses(tx, 'key_id', seeds, [], firstDay, lastDay);
  const registered = await registeredIps(tx, seeds);
  const ips = [...new Set([...own.map((use) => use.ip), ...registered])];
  const truncatedIps = await crowdedIps(tx, ips, firstDay, policy.limits.keysPerIp);
  const others = await loadUses(
    tx,
    'ip_id',
    ips.filter((ip) => !truncatedIps.has(ip)),
    seeds,
    firstDay,
    lastDay,
  );
  const uses = [...own, ...others];
  const allow = await loadAllow(tx, seeds, ips);
  const owners = await loadOwners(tx);
  const candidates = candidatesOf(background, seeds, owners, policy, asOf);
  const keys = new Set<Id>([...seeds, ...candidates, ...uses.map((u) => u.key), ...allow.map((a) => a.key)]);
  const seedSet = new Set(seeds);
  return {
    seeds,
    uses,
    allow,
    facts: await loadFacts(tx, [...keys]),
    prefixes: await loadPrefixes(tx, [...new Set([...ips, ...allow.map((a) => a.ip)])]),
    keyDays: [...new Set([...seeds, ...candidates])].flatMap((key): KeyDay[] => background.keyDays.get(key) ?? []),
    windowKeys: background.windowKeys,
    activeKeys: background.activeKeys,
    clientOwners: background.clientOwners,
    networkOwners: background.networkOwners,
    clientKinds: background.clientKinds,
    memory: await loadMemory(tx, seeds),
    truncatedIps,
    mainClients: await loadMainClients(
      tx,
      [...candidates].filter((key) => !seedSet.has(key)),
      firstDay,
      lastDay,
      policy,
    ),
  };
}

/**
 * The keys whose evidence may change with that of `keys`: their neighbours on addresses that no crowd shares.
 * @param most an address with more keys than this is taken for a crowd here
 */
export async function loadNeighbours(tx: Tx, keys: readonly Id[], firstDay: number, most: number): Promise<Id[]> {
  const rows = await tx.query<{ key: number }[]>(
    `WITH ips AS (SELECT DISTINCT b FROM edges WHERE kind = $1 AND a = ANY ($2::int[]) AND last_day >= $3),
       small AS (SELECT e.b FROM edges e JOIN ips USING (b) WHERE e.kind = $1 AND e.last_day >= $3
                 GROUP BY e.b HAVING count(*) BETWEEN 2 AND $4)
     SELECT DISTINCT e.a AS key FROM edges e JOIN small USING (b) WHERE e.kind = $1 AND e.last_day >= $3`,
    [EDGE_KEY_IP, keys, firstDay, most],
  );
  return rows.map((row) => row.key);
}

async function loadUses(
  tx: Tx,
  by: 'key_id' | 'ip_id',
  ids: readonly Id[],
  notKeys: readonly Id[],
  firstDay: number,
  lastDay: number,
) {
  if (ids.length === 0) return [];
  const rows = await tx.query<(Omit<DayUse, 'network'> & { network: number })[]>(
    `SELECT key_id AS key, ip_id AS ip, client_id AS client, day, hours, requests, orders, rejected, network, lists
     FROM day_uses WHERE ${by} = ANY ($1::int[]) AND day BETWEEN $2 AND $3 ${notKeys.length > 0 ? 'AND NOT key_id = ANY ($4::int[])' : ''}`,
    notKeys.length > 0 ? [ids, firstDay, lastDay, notKeys] : [ids, firstDay, lastDay],
  );
  return rows.map((row): DayUse => ({ ...row, network: networkOf(row.network) }));
}

async function crowdedIps(tx: Tx, ips: readonly Id[], firstDay: number, most: number): Promise<Map<Id, number>> {
  const rows = await tx.query<{ ip: number; keys: string }[]>(
    `SELECT b AS ip, count(*) AS keys FROM edges WHERE kind = $1 AND b = ANY ($2::int[]) AND last_day >= $3
     GROUP BY b HAVING count(*) > $4`,
    [EDGE_KEY_IP, ips, firstDay, most],
  );
  return new Map(rows.map((row) => [row.ip, Number(row.keys)]));
}

async function loadAllow(tx: Tx, seeds: readonly Id[], ips: readonly Id[]): Promise<AllowRow[]> {
  const rows = await tx.query<{ key: number; ip: number; added: string; removed: string | null }[]>(
    `SELECT key_id AS key, ip_id AS ip, added_at AS added, removed_at AS removed FROM allow_entries
     WHERE key_id = ANY ($1::int[]) OR ip_id = ANY ($2::int[])`,
    [seeds, ips],
  );
  return rows.map((r) => ({
    key: r.key,
    ip: r.ip,
    addedAt: Number(r.added),
    removedAt: r.removed === null ? null : Number(r.removed),
  }));
}

async function registeredIps(tx: Tx, seeds: readonly Id[]): Promise<Id[]> {
  const rows = await tx.query<{ ip: number }[]>(
    'SELECT DISTINCT ip_id AS ip FROM allow_entries WHERE key_id = ANY ($1::int[])',
    [seeds],
  );
  return rows.map((row) => row.ip);
}

async function loadOwners(tx: Tx): Promise<Map<Id, Id>> {
  const rows = await tx.query<{ key: number; owner: number }[]>(
    'SELECT key_id AS key, owner_id AS owner FROM key_facts',
  );
  return new Map(rows.map((row) => [row.key, row.owner]));
}

async function loadFacts(tx: Tx, keys: readonly Id[]): Promise<KeyFactsRow[]> {
  const rows = await tx.query<Record<string, string | number | null>[]>(
    `SELECT key_id, member_id, owner_id, account_type, permissions, created_at, expires_at FROM key_facts
     WHERE key_id = ANY ($1::int[])`,
    [keys],
  );
  return rows.map((r) => ({
    key: Number(r['key_id']),
    member: Number(r['member_id']),
    owner: Number(r['owner_id']),
    accountType: ACCOUNT_TYPES[Number(r['account_type'])] ?? 'individual',
    permissions: PERMISSIONS.filter((_, n) => (Number(r['permissions']) & (1 << n)) !== 0),
    createdAt: Number(r['created_at']),
    expiresAt: r['expires_at'] === null ? null : Number(r['expires_at']),
  }));
}

async function loadPrefixes(tx: Tx, ips: readonly Id[]): Promise<Map<Id, Id>> {
  const rows = await tx.query<{ ip: number; prefix: number }[]>(
    'SELECT ip_id AS ip, prefix_id AS prefix FROM ip_prefixes WHERE ip_id = ANY ($1::int[])',
    [ips],
  );
  return new Map(rows.map((row) => [row.ip, row.prefix]));
}

/** The client that sent most of each key's accepted requests, the latest counting most, as the engine ranks them. */
async function loadMainClients(
  tx: Tx,
  keys: readonly Id[],
  firstDay: number,
  lastDay: number,
  policy: Policy,
): Promise<Map<Id, Id>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.query<{ key: number; client: number }[]>(
    `SELECT DISTINCT ON (key_id) key_id AS key, client_id AS client FROM day_uses
     WHERE key_id = ANY ($1::int[]) AND day BETWEEN $2 AND $3
     GROUP BY key_id, client_id
     ORDER BY key_id, sum((requests - rejected) * 0.5 ^ (($3 - day) / $4::float8)) DESC, client_id`,
    [keys, firstDay, lastDay, policy.halfLifeDays],
  );
  return new Map(rows.map((row) => [row.key, row.client]));
}

async function loadMemory(tx: Tx, seeds: readonly Id[]): Promise<KeyMemory[]> {
  const rows = await tx.query<Record<string, unknown>[]>(
    `SELECT key_id, rung, since, clean_since, reverified_at, reverification_failed, upheld_warnings FROM key_states
     WHERE key_id = ANY ($1::int[])`,
    [seeds],
  );
  const time = (value: unknown) => (value === null ? null : Number(value));
  return rows.map((r) => ({
    key: Number(r['key_id']),
    rung: RUNGS[Number(r['rung']) - 1] ?? 'none',
    since: Number(r['since']),
    cleanSince: time(r['clean_since']),
    reverifiedAt: time(r['reverified_at']),
    reverificationFailed: r['reverification_failed'] as boolean,
    upheldWarnings: (r['upheld_warnings'] as string[]).map(Number),
  }));
}
