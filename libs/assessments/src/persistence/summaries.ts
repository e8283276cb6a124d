import { summariseDay, type HourUse } from '@app/correlation';
import type { Tx } from '@app/infrastructure/database';
import { NETWORKS } from '@app/protocol';

/** Rows of `touched` taken in one transaction. */
const TOUCHED_ROWS = 40_000;

/**
 * Takes touched (key, day) pairs, summarises those days anew from their observations, and hands the keys on to
 * assessment. Summarising is from scratch, so repeating it, or undoing a batch, needs no care.
 * @returns how many pairs were taken, and the batches that touched them
 */
export async function summariseTouched(tx: Tx): Promise<{ taken: number; batches: string[] }> {
  const [taken] = await tx.query<[{ key_id: number; day: number; batch: string | null }[], number]>(
    `DELETE FROM touched WHERE id IN (SELECT id FROM touched ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING key_id, day, batch`,
    [TOUCHED_ROWS],
  );
  if (taken.length === 0) return { taken: 0, batches: [] };
  const pairs = [...new Map(taken.map((row) => [`${row.key_id}:${row.day}`, row])).values()];
  const days = pairs.filter((pair) => pair.day >= 0);
  if (days.length > 0) {
    const keys = days.map((pair) => pair.key_id);
    const dayNumbers = days.map((pair) => pair.day);
    await replaceSummaries(tx, keys, dayNumbers, await loadHours(tx, keys, dayNumbers));
  }
  await tx.query('INSERT INTO to_assess SELECT DISTINCT k FROM unnest($1::int[]) k ORDER BY k ON CONFLICT DO NOTHING', [
    pairs.map((pair) => pair.key_id),
  ]);
  return { taken: taken.length, batches: [...new Set(taken.flatMap(({ batch }) => batch ?? []))] };
}

async function loadHours(tx: Tx, keys: number[], days: number[]): Promise<HourUse[]> {
  type Row = Record<
    | 'key_id'
    | 'ip_id'
    | 'prefix_id'
    | 'client_id'
    | 'hour'
    | 'network'
    | 'lists'
    | 'requests'
    | 'orders'
    | 'rejected'
    | 'active_slots'
    | 'burst_slots',
    number
  >;
  const rows: Row[] = [];
  // Day by day: each query then reads one partition only.
  const byDay = new Map<number, number[]>();
  days.forEach((day, i) => byDay.set(day, [...(byDay.get(day) ?? []), keys[i]!]));
  for (const [day, dayKeys] of byDay)
    rows.push(
      ...(await tx.query<Row[]>(
        `SELECT o.key_id, o.ip_id, coalesce(p.prefix_id, -o.ip_id) AS prefix_id, o.client_id, o.hour, o.network, o.lists,
           o.requests, o.orders, o.rejected, o.active_slots, o.burst_slots
         FROM observations o LEFT JOIN ip_prefixes p ON p.ip_id = o.ip_id
         WHERE o.day = $1 AND o.key_id = ANY ($2::int[])`,
        [day, dayKeys],
      )),
    );
  return rows.map((r) => ({
    key: r.key_id,
    ip: r.ip_id,
    prefix: r.prefix_id,
    client: r.client_id,
    hour: r.hour,
    network: NETWORKS[r.network] ?? 'unknown',
    lists: r.lists,
    requests: r.requests,
    orders: r.orders,
    rejected: r.rejected,
    activeSlots: r.active_slots,
    burstSlots: r.burst_slots,
  }));
}

async function replaceSummaries(tx: Tx, keys: number[], days: number[], hours: HourUse[]): Promise<void> {
  const { uses, keyDays } = summariseDay(hours);
  for (const table of ['day_uses', 'key_days'])
    await tx.query(
      `DELETE FROM ${table} t USING unnest($1::int[], $2::int[]) p (key_id, day) WHERE t.key_id = p.key_id AND t.day = p.day`,
      [keys, days],
    );
  await tx.query(
    `INSERT INTO day_uses (key_id, day, ip_id, client_id, hours, requests, orders, rejected, network, lists)
     SELECT * FROM unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[], $9::smallint[], $10::smallint[])`,
    [
      uses.map((u) => u.key),
      uses.map((u) => u.day),
      uses.map((u) => u.ip),
      uses.map((u) => u.client),
      uses.map((u) => u.hours),
      uses.map((u) => u.requests),
      uses.map((u) => u.orders),
      uses.map((u) => u.rejected),
      uses.map((u) => NETWORKS.indexOf(u.network)),
      uses.map((u) => u.lists),
    ],
  );
  await tx.query(
    `INSERT INTO key_days (key_id, day, bursts, concurrent, active)
     SELECT * FROM unnest($1::int[], $2::int[], $3::bytea[], $4::smallint[], $5::smallint[])`,
    [
      keyDays.map((d) => d.key),
      keyDays.map((d) => d.day),
      keyDays.map((d) => Buffer.from(d.bursts)),
      keyDays.map((d) => d.concurrent),
      keyDays.map((d) => d.active),
    ],
  );
}
