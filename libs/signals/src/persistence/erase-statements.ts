import type { Tx } from '@app/infrastructure/database';
import { TOKEN_KINDS } from '@app/protocol';
import { EDGE_KEY_IP } from '../domain/edges.js';
import { purgeTokens } from './purge-statements.js';

/**
 * Has the keys assessed again that share an address with `keys`, which are about to go.
 * @param most an address with more keys than this is a crowd, which no assessment rests on
 */
export async function touchNeighbours(tx: Tx, keys: readonly number[], most: number): Promise<void> {
  await tx.query(
    `WITH ips AS (
       SELECT b AS ip FROM edges WHERE kind = $1 AND a = ANY ($2::int[])
       UNION SELECT ip_id FROM allow_entries WHERE key_id = ANY ($2::int[])),
     small AS (
       SELECT ip FROM ips WHERE (SELECT count(*) FROM edges e WHERE e.kind = $1 AND e.b = ip) <= $3)
     INSERT INTO touched (key_id, day)
     SELECT DISTINCT n.key, -1 FROM (
       SELECT e.a AS key FROM edges e JOIN small ON e.kind = $1 AND e.b = small.ip
       UNION SELECT a.key_id FROM allow_entries a JOIN small ON a.ip_id = small.ip) n
     WHERE NOT n.key = ANY ($2::int[])`,
    [EDGE_KEY_IP, keys, most],
  );
}

/**
 * Deletes every row about keys, and every token that only they gave a reason for. Needs folding and assessing to be
 * held off.
 * @returns how many rows went
 */
export async function deleteKeys(tx: Tx, keys: readonly number[]) {
  const related = await tx.query<{ id: number }[]>(
    `SELECT b AS id FROM edges WHERE kind IN (1, 2) AND a = ANY ($1::int[])
     UNION SELECT ip_id FROM allow_entries WHERE key_id = ANY ($1::int[])
     UNION SELECT owner_id FROM key_facts WHERE key_id = ANY ($1::int[])`,
    [keys],
  );
  const count = async (sql: string) => (await tx.query<[unknown[], number]>(sql, [keys]))[1];
  // Only the days on which the keys were seen: every partition is an index of its own.
  const [days] = await tx.query<{ first: number | null; last: number | null }[]>(
    'SELECT min(first_day) AS first, max(last_day) AS last FROM edges WHERE a = ANY ($1::int[])',
    [keys],
  );
  const [, observations] = await tx.query<[unknown[], number]>(
    'DELETE FROM observations WHERE day BETWEEN $2 AND $3 AND key_id = ANY ($1::int[])',
    [keys, days?.first ?? 0, days?.last ?? -1],
  );
  const allowEntries = await count('DELETE FROM allow_entries WHERE key_id = ANY ($1::int[])');
  const keyFacts = await count('DELETE FROM key_facts WHERE key_id = ANY ($1::int[])');
  await count('DELETE FROM edges WHERE kind IN (1, 2) AND a = ANY ($1::int[])');
  for (const table of ['day_uses', 'key_days', 'touched'])
    await count(`DELETE FROM ${table} WHERE key_id = ANY ($1::int[])`);
  const ids = [...keys, ...related.map((row) => row.id)];
  return { observations, allowEntries, keyFacts, tokens: await purgeTokens(tx, ids) };
}

/** Deletes an owner's token, unless facts name it: those of other members stand. @returns whether it went */
export async function purgeOwner(tx: Tx, token: Buffer): Promise<boolean> {
  const rows = await tx.query<{ id: number }[]>(
    'SELECT id FROM tokens WHERE kind = $1 AND member_id = 0 AND token = $2',
    [TOKEN_KINDS.indexOf('owner'), token],
  );
  return (
    (await purgeTokens(
      tx,
      rows.map((row) => row.id),
    )) > 0
  );
}
