import type { Tx } from '@app/infrastructure/database';

/** What keeps a token of each kind (index into TOKEN_KINDS): a row that names it. */
const IN_USE = `
  CASE t.kind
    WHEN 0 THEN EXISTS (SELECT 1 FROM edges WHERE kind IN (1, 2) AND a = t.id)
      OR EXISTS (SELECT 1 FROM key_facts WHERE key_id = t.id)
      OR EXISTS (SELECT 1 FROM allow_entries WHERE key_id = t.id)
      OR EXISTS (SELECT 1 FROM key_states WHERE key_id = t.id)
      OR EXISTS (SELECT 1 FROM rung_changes WHERE key_id = t.id)
      OR EXISTS (SELECT 1 FROM recommendations WHERE key_id = t.id)
    WHEN 1 THEN EXISTS (SELECT 1 FROM edges WHERE kind = 1 AND b = t.id)
      OR EXISTS (SELECT 1 FROM allow_entries WHERE ip_id = t.id)
    WHEN 2 THEN EXISTS (SELECT 1 FROM ip_prefixes WHERE prefix_id = t.id)
    WHEN 3 THEN EXISTS (SELECT 1 FROM key_facts WHERE owner_id = t.id)
    WHEN 4 THEN EXISTS (SELECT 1 FROM edges WHERE kind = 2 AND b = t.id)
    ELSE true
  END`;

/**
 * Deletes those of some tokens (ids) that no row names any more, addresses with the prefix that only they lay in.
 * Needs folds to be held off.
 * @returns how many went
 */
export async function purgeTokens(tx: Tx, ids: readonly number[]): Promise<number> {
  const remove = async (some: readonly number[]) => {
    const [rows] = await tx.query<[{ id: number; kind: number }[], number]>(
      `DELETE FROM tokens t WHERE t.id = ANY ($1::int[]) AND NOT (${IN_USE}) RETURNING t.id, t.kind`,
      [some],
    );
    return rows;
  };
  const gone = await remove(ids);
  const [lain] = await tx.query<[{ prefix_id: number }[], number]>(
    'DELETE FROM ip_prefixes WHERE ip_id = ANY ($1::int[]) RETURNING prefix_id',
    [gone.filter((token) => token.kind === 1).map((token) => token.id)],
  );
  if (lain.length === 0) return gone.length;
  return gone.length + (await remove([...new Set(lain.map((row) => row.prefix_id))])).length;
}

/** The same for the next tokens after an id. @returns id of the last one that was looked at, or null */
export async function purgeTokensAfter(
  tx: Tx,
  after: number,
  most: number,
): Promise<{ last: number; gone: number } | null> {
  const rows = await tx.query<{ id: number }[]>('SELECT id FROM tokens WHERE id > $1 ORDER BY id LIMIT $2', [
    after,
    most,
  ]);
  const last = rows.at(-1);
  return last
    ? {
        last: last.id,
        gone: await purgeTokens(
          tx,
          rows.map((row) => row.id),
        ),
      }
    : null;
}

/** Deletes edges last seen before a day, at most `most`. @returns how many */
export async function purgeEdges(tx: Tx, oldestDay: number, most: number): Promise<number> {
  const [, gone] = await tx.query<[unknown[], number]>(
    `DELETE FROM edges WHERE (kind, a, b) IN (SELECT kind, a, b FROM edges WHERE last_day < $1 LIMIT $2)`,
    [oldestDay, most],
  );
  return gone;
}

/** Deletes the earliest day of a day's table that lies before a day. @returns whether there was one */
export async function purgeDay(tx: Tx, table: 'day_uses' | 'key_days', oldestDay: number): Promise<boolean> {
  const [row] = await tx.query<{ day: number | null }[]>(`SELECT min(day) AS day FROM ${table} WHERE day < $1`, [
    oldestDay,
  ]);
  if (row!.day === null) return false;
  await tx.query(`DELETE FROM ${table} WHERE day = $1`, [row!.day]);
  return true;
}

/**
 * Deletes facts of keys that were not seen since `oldestDay` and have ended before it, or, where they never end, were
 * last spoken of before `forgottenDay`; days since 1970.
 * @returns how many
 */
export async function purgeFacts(tx: Tx, oldestDay: number, forgottenDay: number, most: number): Promise<number> {
  const [gone] = await tx.query<[{ key_id: number }[], number]>(
    `DELETE FROM key_facts WHERE key_id IN (
       SELECT f.key_id FROM key_facts f JOIN batches b ON b.id = f.batch
       WHERE NOT EXISTS (SELECT 1 FROM edges e WHERE e.kind = 1 AND e.a = f.key_id)
         AND b.received_at < to_timestamp($1::bigint * 86400)
         AND (f.expires_at < $1::bigint * 86400 OR b.received_at < to_timestamp($2::bigint * 86400)) LIMIT $3)
     RETURNING key_id`,
    [oldestDay, forgottenDay, most],
  );
  await tx.query('INSERT INTO touched (key_id, day) SELECT k, -1 FROM unnest($1::int[]) k', [
    gone.map((row) => row.key_id),
  ]);
  return gone.length;
}

/** Deletes allow-list entries that were removed before a day, and those of keys of which nothing else is known. */
export async function purgeAllowEntries(tx: Tx, oldestDay: number, most: number): Promise<number> {
  const [, gone] = await tx.query<[unknown[], number]>(
    `DELETE FROM allow_entries WHERE (key_id, ip_id, added_at) IN (
       SELECT a.key_id, a.ip_id, a.added_at FROM allow_entries a JOIN batches b ON b.id = a.batch
       WHERE a.removed_at < $1::bigint * 86400 OR (b.received_at < to_timestamp($1::bigint * 86400)
         AND NOT EXISTS (SELECT 1 FROM key_facts f WHERE f.key_id = a.key_id)
         AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.kind = 1 AND e.a = a.key_id)) LIMIT $2)`,
    [oldestDay, most],
  );
  return gone;
}
