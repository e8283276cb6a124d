import type { Tx } from '@app/infrastructure/database';
import { EDGE_KEY_CLIENT, EDGE_KEY_IP } from '../domain/edges.js';

const [KEY, IP, PREFIX, OWNER, CLIENT] = [0, 1, 2, 3, 4] as const;

/** Members' pairs that wait, with the id of the old token; a pair whose old token is gone has none. */
const CLAIMS = `
  SELECT r.member_id, r.kind, t.id AS old_id, t.member_id AS scope, r.new_token
  FROM reenrolments r JOIN tokens t ON t.kind = r.kind
    AND t.member_id = CASE WHEN r.kind = ${KEY} THEN r.member_id ELSE 0 END AND t.token = r.old_token
  WHERE r.applied_at IS NULL`;

/** Who has rows on a token. */
const STANDING = `
  SELECT ${IP} AS kind, b AS id, member_id FROM edges WHERE kind = ${EDGE_KEY_IP}
  UNION SELECT ${IP}, ip_id, member_id FROM allow_entries
  UNION SELECT ${PREFIX}, p.prefix_id, e.member_id FROM ip_prefixes p JOIN edges e ON e.kind = ${EDGE_KEY_IP} AND e.b = p.ip_id
  UNION SELECT ${PREFIX}, p.prefix_id, a.member_id FROM ip_prefixes p JOIN allow_entries a ON a.ip_id = p.ip_id
  UNION SELECT ${OWNER}, owner_id, member_id FROM key_facts
  UNION SELECT ${CLIENT}, b, member_id FROM edges WHERE kind = ${EDGE_KEY_CLIENT}`;

/**
 * Gives tokens their new value in place where every member that has rows on one claims the same, and nobody claims that
 * value for another token: no row moves, so nothing that was found of them can change.
 * @returns ids of the keys among them
 */
export async function renameInPlace(tx: Tx): Promise<{ renamed: number; keys: number[] }> {
  const [rows] = await tx.query<[{ id: number; kind: number }[], number]>(`
    WITH claims AS (${CLAIMS}),
    agreed AS (
      SELECT kind, scope, old_id, (array_agg(new_token))[1] AS new_token FROM claims
      GROUP BY kind, scope, old_id HAVING count(DISTINCT new_token) = 1),
    silent AS (
      SELECT DISTINCT s.kind, s.id FROM (${STANDING}) s JOIN agreed a ON a.kind = s.kind AND a.old_id = s.id
      WHERE NOT EXISTS (
        SELECT 1 FROM claims c WHERE c.kind = s.kind AND c.old_id = s.id AND c.member_id = s.member_id)),
    contested AS (
      SELECT kind, scope, new_token FROM claims GROUP BY kind, scope, new_token HAVING count(DISTINCT old_id) > 1)
    UPDATE tokens t SET token = a.new_token FROM agreed a
    WHERE t.id = a.old_id
      AND NOT EXISTS (SELECT 1 FROM silent s WHERE s.kind = a.kind AND s.id = a.old_id)
      AND NOT EXISTS (
        SELECT 1 FROM contested c WHERE c.kind = a.kind AND c.scope = a.scope AND c.new_token = a.new_token)
      AND NOT EXISTS (
        SELECT 1 FROM tokens o WHERE o.kind = a.kind AND o.member_id = a.scope AND o.token = a.new_token)
    RETURNING t.id, t.kind`);
  return { renamed: rows.length, keys: rows.filter((row) => row.kind === KEY).map((row) => row.id) };
}

/** A member's rows on one token that are to stand on another. */
export interface Move {
  memberId: number;
  kind: number;
  from: number;
  to: number;
}

/**
 * What is left to carry over after {@link renameInPlace}, the tokens that it goes to entered. A key's token is never
 * another's, so none of a key's is left but where its member has used the new one already: that one stands by itself.
 */
export async function movesLeft(tx: Tx): Promise<Move[]> {
  await tx.query(
    `INSERT INTO tokens (kind, member_id, token) SELECT DISTINCT kind, scope, new_token FROM (${CLAIMS}) c
     WHERE kind <> ${KEY} ORDER BY 1, 3 ON CONFLICT DO NOTHING`,
  );
  return tx.query<Move[]>(
    `SELECT c.member_id AS "memberId", c.kind, c.old_id AS "from", n.id AS "to" FROM (${CLAIMS}) c
     JOIN tokens n ON n.kind = c.kind AND n.member_id = c.scope AND n.token = c.new_token
     WHERE c.kind <> ${KEY} AND n.id <> c.old_id ORDER BY 1, 2, 3`,
  );
}

/** Moves members' own rows, and has the days they lie on summarised anew. */
export async function moveRows(tx: Tx, moves: readonly Move[]): Promise<void> {
  for (const memberId of new Set(moves.map((move) => move.memberId))) {
    const own = moves.filter((move) => move.memberId === memberId);
    const of = (kind: number): [number, number[], number[]] => {
      const some = own.filter((move) => move.kind === kind);
      return [memberId, some.map((move) => move.from), some.map((move) => move.to)];
    };
    await placeAddresses(tx, of(IP), of(PREFIX));
    await moveObservations(tx, 'ip_id', EDGE_KEY_IP, of(IP));
    await moveObservations(tx, 'client_id', EDGE_KEY_CLIENT, of(CLIENT));
    await moveEdges(tx, EDGE_KEY_IP, of(IP));
    await moveEdges(tx, EDGE_KEY_CLIENT, of(CLIENT));
    await moveAllowEntries(tx, of(IP));
    await moveOwners(tx, of(OWNER));
  }
}

type Moved = [memberId: number, from: number[], to: number[]];

const MOVED = `unnest($2::int[], $3::int[]) m (source, target)`;

/** An address lies in one prefix, by the first word: where its own is moved to, or else where it lay. */
async function placeAddresses(tx: Tx, ips: Moved, prefixes: Moved): Promise<void> {
  const [, from, to] = ips;
  await tx.query(
    `INSERT INTO ip_prefixes SELECT m.target, coalesce(x.target, p.prefix_id)
     FROM unnest($1::int[], $2::int[]) m (source, target) JOIN ip_prefixes p ON p.ip_id = m.source
     LEFT JOIN unnest($3::int[], $4::int[]) x (source, target) ON x.source = p.prefix_id
     ORDER BY 1 ON CONFLICT DO NOTHING`,
    [from, to, prefixes[1], prefixes[2]],
  );
}

async function moveObservations(tx: Tx, column: 'ip_id' | 'client_id', edge: number, moved: Moved): Promise<void> {
  if (moved[1].length === 0) return;
  const columns = ['ip_id', 'client_id'].map((name) => (name === column ? 'gone.target' : `gone.${name}`)).join(', ');
  await tx.query(
    `WITH lain AS (
       SELECT e.a AS key_id, m.source, m.target, d.day FROM ${MOVED}
       JOIN edges e ON e.kind = ${edge} AND e.b = m.source AND e.member_id = $1
       CROSS JOIN LATERAL generate_series(e.first_day, e.last_day) d (day)),
     gone AS (
       DELETE FROM observations o USING lain l
       WHERE o.day = l.day AND o.key_id = l.key_id AND o.${column} = l.source AND o.member_id = $1
       RETURNING o.*, l.target),
     marked AS (INSERT INTO touched (key_id, day) SELECT DISTINCT key_id, day FROM gone)
     INSERT INTO observations AS o (day, member_id, key_id, ip_id, client_id, hour, network, lists, requests, orders,
       rejected, active_slots, burst_slots, batch, sequence)
     SELECT day, member_id, key_id, ${columns}, hour, network, lists, requests, orders, rejected, active_slots,
       burst_slots, batch, sequence FROM gone
     ON CONFLICT (day, key_id, ip_id, client_id, hour) DO UPDATE SET
       network = excluded.network, lists = excluded.lists, requests = excluded.requests, orders = excluded.orders,
       rejected = excluded.rejected, active_slots = excluded.active_slots, burst_slots = excluded.burst_slots,
       batch = excluded.batch, sequence = excluded.sequence
     WHERE excluded.sequence > o.sequence`,
    moved,
  );
}

async function moveEdges(tx: Tx, kind: number, moved: Moved): Promise<void> {
  await tx.query(
    `WITH gone AS (
       DELETE FROM edges e USING ${MOVED} WHERE e.kind = ${kind} AND e.b = m.source AND e.member_id = $1
       RETURNING e.*, m.target)
     INSERT INTO edges AS e (kind, a, b, member_id, first_day, last_day)
     SELECT kind, a, target, member_id, first_day, last_day FROM gone
     ON CONFLICT (kind, a, b) DO UPDATE SET
       first_day = least(e.first_day, excluded.first_day), last_day = greatest(e.last_day, excluded.last_day)`,
    moved,
  );
}

async function moveAllowEntries(tx: Tx, moved: Moved): Promise<void> {
  await tx.query(
    `WITH gone AS (
       DELETE FROM allow_entries a USING ${MOVED} WHERE a.ip_id = m.source AND a.member_id = $1 RETURNING a.*, m.target),
     marked AS (INSERT INTO touched (key_id, day) SELECT DISTINCT key_id, -1 FROM gone)
     INSERT INTO allow_entries AS a (key_id, ip_id, added_at, member_id, removed_at, batch, sequence)
     SELECT key_id, target, added_at, member_id, removed_at, batch, sequence FROM gone
     ON CONFLICT (key_id, ip_id, added_at) DO UPDATE SET
       removed_at = excluded.removed_at, batch = excluded.batch, sequence = excluded.sequence
     WHERE excluded.sequence > a.sequence`,
    moved,
  );
}

async function moveOwners(tx: Tx, moved: Moved): Promise<void> {
  await tx.query(
    `WITH gone AS (
       UPDATE key_facts f SET owner_id = m.target FROM ${MOVED} WHERE f.owner_id = m.source AND f.member_id = $1
       RETURNING f.key_id)
     INSERT INTO touched (key_id, day) SELECT key_id, -1 FROM gone`,
    moved,
  );
}

/**
 * Puts addresses whose prefix members moved, but which kept their own id, into the prefix that most members that have
 * rows on the address name; of as many, the lowest. Days of keys seen there are summarised anew.
 */
export async function moveAddressesToPrefixes(tx: Tx, moves: readonly Move[]): Promise<void> {
  const some = moves.filter((move) => move.kind === PREFIX);
  if (some.length === 0) return;
  await tx.query(
    `WITH m AS (SELECT * FROM unnest($1::int[], $2::int[], $3::int[]) m (member_id, source, target)),
     named AS (
       SELECT p.ip_id, mode() WITHIN GROUP (ORDER BY m.target) AS prefix_id
       FROM ip_prefixes p JOIN m ON m.source = p.prefix_id
       WHERE EXISTS (SELECT 1 FROM edges e WHERE e.kind = ${EDGE_KEY_IP} AND e.b = p.ip_id AND e.member_id = m.member_id)
         OR EXISTS (SELECT 1 FROM allow_entries a WHERE a.ip_id = p.ip_id AND a.member_id = m.member_id)
       GROUP BY p.ip_id),
     placed AS (UPDATE ip_prefixes p SET prefix_id = n.prefix_id FROM named n WHERE n.ip_id = p.ip_id RETURNING p.ip_id)
     INSERT INTO touched (key_id, day)
     SELECT DISTINCT e.a, d.day FROM placed JOIN edges e ON e.kind = ${EDGE_KEY_IP} AND e.b = placed.ip_id
     CROSS JOIN LATERAL generate_series(e.first_day, e.last_day) d (day)`,
    [some.map((move) => move.memberId), some.map((move) => move.from), some.map((move) => move.to)],
  );
}

/** Marks every pair that waits as carried over. @returns how many */
export async function markApplied(tx: Tx, at: Date): Promise<number> {
  const [, count] = await tx.query<[unknown[], number]>(
    'UPDATE reenrolments SET applied_at = $1 WHERE applied_at IS NULL',
    [at],
  );
  return count;
}
