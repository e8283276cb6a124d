import type { Tx } from '@app/infrastructure/database';
import type { BatchColumns } from '@app/protocol';
import type { BatchIds, Edge } from '../domain/edges.js';
import type { StoredFacts } from '../domain/key-facts.js';

/** Rows of one statement: larger ones gain nothing. */
const STATEMENT_ROWS = 5000;

export interface FoldedBatch {
  /** Row id, member and sequence number of the batch. */
  id: string;
  memberId: number;
  sequence: string;
}

/** Writes a batch's observations; where two batches carry one, the higher sequence number stands. */
export async function upsertObservations(
  tx: Tx,
  batch: FoldedBatch,
  columns: BatchColumns,
  ids: BatchIds,
): Promise<void> {
  const o = columns.observations;
  const day = Uint32Array.from(o.hour, (hour) => Math.floor(hour / 24));
  const key = o.key.map((i) => ids.keys[i]!);
  const ip = o.ip.map((i) => ids.ips[i]!);
  const client = o.client.map((i) => ids.clients[i]!);
  const lists = o.lists.map(bitCount);
  // Primary-key order: neighbouring index entries together, and one locking order for all folds.
  const order = Uint32Array.from(day.keys()).sort(
    (x, y) =>
      day[x]! - day[y]! || key[x]! - key[y]! || ip[x]! - ip[y]! || client[x]! - client[y]! || o.hour[x]! - o.hour[y]!,
  );
  for (const d of [...new Set(day)].sort((x, y) => x - y)) await tx.query('SELECT ensure_observation_day($1)', [d]);
  for (let from = 0; from < order.length; from += STATEMENT_ROWS) {
    const rows = order.subarray(from, from + STATEMENT_ROWS);
    const column = (values: ArrayLike<number>) => Array.from(rows, (i) => values[i]!);
    await tx.query(
      `INSERT INTO observations AS o (day, member_id, key_id, ip_id, client_id, hour, network, lists, requests, orders,
         rejected, active_slots, burst_slots, batch, sequence)
       SELECT day, $1, key, ip, client, hour, network, lists, requests, orders, rejected, active, burst, $2, $3
       FROM unnest($4::int[], $5::int[], $6::int[], $7::int[], $8::int[], $9::smallint[], $10::smallint[], $11::int[],
         $12::int[], $13::int[], $14::smallint[], $15::smallint[])
         AS r (day, key, ip, client, hour, network, lists, requests, orders, rejected, active, burst)
       ON CONFLICT (day, key_id, ip_id, client_id, hour) DO UPDATE SET
         network = excluded.network, lists = excluded.lists, requests = excluded.requests, orders = excluded.orders,
         rejected = excluded.rejected, active_slots = excluded.active_slots, burst_slots = excluded.burst_slots,
         batch = excluded.batch, sequence = excluded.sequence
       WHERE excluded.sequence > o.sequence`,
      [
        batch.memberId,
        batch.id,
        batch.sequence,
        ...[
          day,
          key,
          ip,
          client,
          o.hour,
          o.network,
          lists,
          o.requests,
          o.orders,
          o.rejected,
          o.activeSlots,
          o.burstSlots,
        ].map(column),
      ],
    );
  }
}

/** Writes which prefix an IP lies in; the first word stands. */
export async function insertPrefixes(
  tx: Tx,
  ips: Uint32Array,
  prefixes: Uint32Array,
  ipPrefix: Uint32Array,
): Promise<void> {
  await tx.query(
    `INSERT INTO ip_prefixes SELECT ip, prefix FROM unnest($1::int[], $2::int[]) r (ip, prefix)
     WHERE NOT EXISTS (SELECT 1 FROM ip_prefixes p WHERE p.ip_id = ip) ORDER BY ip ON CONFLICT DO NOTHING`,
    [[...ips], Array.from(ipPrefix, (i) => prefixes[i]!)],
  );
}

/** Keeps edges current; one that says nothing new is not written. */
export async function upsertEdges(tx: Tx, memberId: number, edges: readonly Edge[]): Promise<void> {
  for (let from = 0; from < edges.length; from += STATEMENT_ROWS) {
    const rows = edges.slice(from, from + STATEMENT_ROWS);
    await tx.query(
      `INSERT INTO edges AS e (kind, a, b, member_id, first_day, last_day)
       SELECT kind, a, b, $1, first_day, last_day
       FROM unnest($2::smallint[], $3::int[], $4::int[], $5::int[], $6::int[]) r (kind, a, b, first_day, last_day)
       ON CONFLICT (kind, a, b) DO UPDATE SET
         first_day = least(e.first_day, excluded.first_day), last_day = greatest(e.last_day, excluded.last_day)
       WHERE excluded.first_day < e.first_day OR excluded.last_day > e.last_day`,
      [
        memberId,
        rows.map((e) => e.kind),
        rows.map((e) => e.a),
        rows.map((e) => e.b),
        rows.map((e) => e.firstDay),
        rows.map((e) => e.lastDay),
      ],
    );
  }
}

/**
 * Lets one transaction at a time merge or take out a member's facts: row locks alone would let two that both find a key
 * without facts overwrite each other.
 */
export async function lockMemberFacts(tx: Tx, memberId: number): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('bongsu:facts'), $1)`, [memberId]);
}

/** The facts stored of a member's keys, locked until the transaction ends. */
export async function lockFacts(tx: Tx, memberId: number, keys: readonly number[]): Promise<Map<number, StoredFacts>> {
  await lockMemberFacts(tx, memberId);
  const rows = await tx.query<Record<string, string | number | null>[]>(
    `SELECT key_id, owner_id, account_type, permissions, created_at, expires_at, sequence FROM key_facts
     WHERE key_id = ANY ($1::int[])`,
    [keys],
  );
  return new Map(
    rows.map((r) => [
      Number(r['key_id']),
      {
        ownerId: Number(r['owner_id']),
        accountType: Number(r['account_type']),
        permissions: Number(r['permissions']),
        createdAt: Number(r['created_at']),
        expiresAt: r['expires_at'] === null ? null : Number(r['expires_at']),
        sequence: Number(r['sequence']),
      },
    ]),
  );
}

export async function saveFacts(tx: Tx, batch: FoldedBatch, facts: ReadonlyMap<number, StoredFacts>): Promise<void> {
  const rows = [...facts].sort(([x], [y]) => x - y);
  const column = (read: (f: StoredFacts) => number | null) => rows.map(([, f]) => read(f));
  await tx.query(
    `INSERT INTO key_facts (key_id, member_id, owner_id, account_type, permissions, created_at, expires_at, sequence, batch)
     SELECT key, $1, owner, account, permissions, created, expires, sequence, $2
     FROM unnest($3::int[], $4::int[], $5::smallint[], $6::smallint[], $7::bigint[], $8::bigint[], $9::bigint[])
       r (key, owner, account, permissions, created, expires, sequence)
     ON CONFLICT (key_id) DO UPDATE SET owner_id = excluded.owner_id, account_type = excluded.account_type,
       permissions = excluded.permissions, created_at = excluded.created_at, expires_at = excluded.expires_at,
       sequence = excluded.sequence, batch = excluded.batch`,
    [
      batch.memberId,
      batch.id,
      rows.map(([key]) => key),
      column((f) => f.ownerId),
      column((f) => f.accountType),
      column((f) => f.permissions),
      column((f) => f.createdAt),
      column((f) => f.expiresAt),
      column((f) => f.sequence),
    ],
  );
}

/** Writes dated allow-list entries; where two batches carry one, the higher sequence number stands. */
export async function upsertAllowEntries(
  tx: Tx,
  batch: FoldedBatch,
  { allowEntries: a }: BatchColumns,
  ids: BatchIds,
): Promise<void> {
  const last = new Map<string, number>();
  for (let i = 0; i < a.count; i++) last.set(`${a.key[i]}:${a.ip[i]}:${a.addedAt[i]}`, i);
  const key = (i: number) => ids.keys[a.key[i]!]!;
  const ip = (i: number) => ids.ips[a.ip[i]!]!;
  const rows = [...last.values()].sort((x, y) => key(x) - key(y) || ip(x) - ip(y) || a.addedAt[x]! - a.addedAt[y]!);
  await tx.query(
    `INSERT INTO allow_entries AS e (key_id, ip_id, added_at, removed_at, member_id, batch, sequence)
     SELECT key, ip, added, nullif(removed, 0), $1, $2, $3
     FROM unnest($4::int[], $5::int[], $6::bigint[], $7::bigint[]) r (key, ip, added, removed)
     ON CONFLICT (key_id, ip_id, added_at) DO UPDATE SET
       removed_at = excluded.removed_at, batch = excluded.batch, sequence = excluded.sequence
     WHERE excluded.sequence > e.sequence`,
    [
      batch.memberId,
      batch.id,
      batch.sequence,
      rows.map(key),
      rows.map(ip),
      rows.map((i) => a.addedAt[i]!),
      rows.map((i) => a.removedAt[i]!),
    ],
  );
}

/** Marks keys, and the days whose observations changed (−1: facts or allow-list only), for assessment. */
export async function touch(tx: Tx, batch: string, keys: readonly number[], days: readonly number[]): Promise<void> {
  await tx.query(
    'INSERT INTO touched (key_id, day, batch) SELECT key, day, $3::bigint FROM unnest($1::int[], $2::int[]) r (key, day)',
    [keys, days, batch],
  );
}

function bitCount(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}
