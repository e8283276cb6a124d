import type { Tx } from '@app/infrastructure/database';
import { EDGE_KEY_CLIENT, EDGE_KEY_IP } from '../domain/edges.js';
import { lockMemberFacts, type FoldedBatch } from './fold-statements.js';

/**
 * Takes a folded batch out of the tables: deletes what it wrote, rebuilds the edges that it took part in from what is
 * left, and marks the member's other batches that may have been overwritten by it to be folded again. Facts merge from
 * every batch that gave them, so those of each key it spoke of go whole and are merged anew.
 * @param factKeys the keys that the batch gave facts of
 */
export async function undoBatch(
  tx: Tx,
  batch: FoldedBatch & { firstDay: number | null; lastDay: number | null },
  factKeys: readonly number[],
): Promise<void> {
  const removed = await tx.query<[{ key_id: number; ip_id: number; client_id: number; day: number }[], number]>(
    'DELETE FROM observations WHERE day BETWEEN $1 AND $2 AND batch = $3 RETURNING key_id, ip_id, client_id, day',
    [batch.firstDay ?? 0, batch.lastDay ?? -1, batch.id],
  );
  const rows = removed[0];
  await rebuildEdges(
    tx,
    EDGE_KEY_IP,
    'ip_id',
    rows.map((r) => r.key_id),
    rows.map((r) => r.ip_id),
  );
  await rebuildEdges(
    tx,
    EDGE_KEY_CLIENT,
    'client_id',
    rows.map((r) => r.key_id),
    rows.map((r) => r.client_id),
  );
  if (factKeys.length > 0) {
    await lockMemberFacts(tx, batch.memberId);
    await tx.query('DELETE FROM key_facts WHERE key_id = ANY ($1::int[])', [factKeys]);
  }
  const [allowed] = await tx.query<[{ key_id: number }[], number]>(
    'DELETE FROM allow_entries WHERE batch = $1 RETURNING key_id',
    [batch.id],
  );
  const touched = new Set([
    ...rows.map((r) => `${r.key_id}:${r.day}`),
    ...[...factKeys, ...allowed.map((r) => r.key_id)].map((key) => `${key}:-1`),
  ]);
  const pairs = [...touched].map((t) => t.split(':').map(Number));
  await tx.query('INSERT INTO touched (key_id, day) SELECT key, day FROM unnest($1::int[], $2::int[]) r (key, day)', [
    pairs.map((p) => p[0]),
    pairs.map((p) => p[1]),
  ]);
  await tx.query(
    `UPDATE batches SET state = 'stored' WHERE member_id = $1 AND state = 'folded' AND id <> $2
       AND ((first_day <= $4 AND last_day >= $3) OR ($5 AND accepted > observations))`,
    [batch.memberId, batch.id, batch.firstDay, batch.lastDay, factKeys.length + allowed.length > 0],
  );
}

async function rebuildEdges(
  tx: Tx,
  kind: number,
  column: 'ip_id' | 'client_id',
  keys: number[],
  others: number[],
): Promise<void> {
  const pairs = `SELECT DISTINCT a, b FROM unnest($1::int[], $2::int[]) p (a, b)`;
  await tx.query(`DELETE FROM edges e USING (${pairs}) p WHERE e.kind = ${kind} AND e.a = p.a AND e.b = p.b`, [
    keys,
    others,
  ]);
  await tx.query(
    `INSERT INTO edges (kind, a, b, member_id, first_day, last_day)
     SELECT ${kind}, o.key_id, o.${column}, o.member_id, min(o.day), max(o.day)
     FROM observations o JOIN (${pairs}) p ON o.key_id = p.a AND o.${column} = p.b
     GROUP BY o.key_id, o.${column}, o.member_id ORDER BY 2, 3
     ON CONFLICT DO NOTHING`,
    [keys, others],
  );
}
