import type { Assessment, Id, KeyMemory } from '@app/correlation';
import type { Tx } from '@app/infrastructure/database';
import { rungRank } from '@app/protocol';

/** Takes keys that wait for assessment, at most `most` of them. */
export async function takeKeys(tx: Tx, most: number): Promise<Id[]> {
  const [rows] = await tx.query<[{ key_id: number }[], number]>(
    'DELETE FROM to_assess WHERE key_id IN (SELECT key_id FROM to_assess ORDER BY key_id LIMIT $1) RETURNING key_id',
    [most],
  );
  return rows.map((row) => row.key_id).sort((a, b) => a - b);
}

/** Queues keys on a rung whose evidence has only aged since `before` (seconds). @returns how many */
export async function queueAged(tx: Tx, before: number): Promise<number> {
  const rows = await tx.query<unknown[]>(
    `INSERT INTO to_assess SELECT key_id FROM key_states WHERE rung > 0 AND assessed_at <= $1 ORDER BY key_id
     ON CONFLICT DO NOTHING RETURNING key_id`,
    [before],
  );
  return rows.length;
}

/** Stores assessments, what to remember of each key, and each change of rung. */
export async function saveAssessments(
  tx: Tx,
  assessments: readonly Assessment[],
  before: ReadonlyMap<Id, KeyMemory>,
  members: ReadonlyMap<Id, number>,
): Promise<void> {
  const memories = assessments.map((a) => a.memory);
  await tx.query(
    `INSERT INTO key_states AS s (key_id, member_id, rung, since, clean_since, reverified_at, reverification_failed,
       probability, assessed_at, policy_version, assessment)
     SELECT * FROM unnest($1::int[], $2::int[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[],
       $8::float8[], $9::bigint[], $10::text[], $11::jsonb[])
     ON CONFLICT (key_id) DO UPDATE SET rung = excluded.rung, since = excluded.since, clean_since = excluded.clean_since,
       reverified_at = excluded.reverified_at, reverification_failed = excluded.reverification_failed,
       probability = excluded.probability, assessed_at = excluded.assessed_at, policy_version = excluded.policy_version,
       assessment = excluded.assessment`,
    [
      assessments.map((a) => a.key),
      assessments.map((a) => members.get(a.key)!),
      assessments.map((a) => rungRank(a.rung)),
      memories.map((m) => m.since),
      memories.map((m) => m.cleanSince),
      memories.map((m) => m.reverifiedAt),
      memories.map((m) => m.reverificationFailed),
      assessments.map((a) => a.probability),
      assessments.map((a) => a.asOf),
      assessments.map((a) => a.policyVersion),
      assessments.map((a) => JSON.stringify(a)),
    ],
  );
  const changed = assessments.filter((a) => a.rung !== (before.get(a.key)?.rung ?? 'none'));
  await tx.query(
    `INSERT INTO rung_changes (key_id, member_id, at, rung) SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[], $4::smallint[])`,
    [
      changed.map((a) => a.key),
      changed.map((a) => members.get(a.key)!),
      changed.map((a) => a.asOf),
      changed.map((a) => rungRank(a.rung)),
    ],
  );
}

/** Takes keys of which no facts stand any more (their batch was withdrawn) off their rung. */
export async function resetUnknown(tx: Tx, keys: readonly Id[], asOf: number): Promise<void> {
  if (keys.length === 0) return;
  await tx.query(
    `WITH reset AS (
       UPDATE key_states SET rung = 0, since = $2, clean_since = NULL, probability = 0, assessed_at = $2
       WHERE key_id = ANY ($1::int[]) AND rung > 0 RETURNING key_id, member_id)
     INSERT INTO rung_changes (key_id, member_id, at, rung) SELECT key_id, member_id, $2, 0 FROM reset`,
    [keys, asOf],
  );
}

/** What an outcome that a member reported means for the key's memory. */
export async function applyOutcomes(tx: Tx): Promise<number> {
  const outcomes = await tx.query<{ id: string; key_id: number; outcome: string; rung: number; at: Date }[]>(
    `SELECT o.id, r.key_id, o.outcome, r.rung, o.at FROM outcomes o JOIN recommendations r ON r.id = o.recommendation_id
     WHERE NOT o.applied ORDER BY o.id LIMIT 1000`,
  );
  for (const o of outcomes) {
    const at = Math.floor(o.at.getTime() / 1000);
    if (o.outcome === 'reverification_passed')
      await tx.query('UPDATE key_states SET reverified_at = $2, reverification_failed = false WHERE key_id = $1', [
        o.key_id,
        at,
      ]);
    else if (o.outcome === 'reverification_failed' || o.outcome === 'reverification_ignored')
      await tx.query('UPDATE key_states SET reverification_failed = true WHERE key_id = $1', [o.key_id]);
    else if (o.outcome === 'upheld' && o.rung === rungRank('warn'))
      await tx.query('UPDATE key_states SET upheld_warnings = upheld_warnings || $2::bigint WHERE key_id = $1', [
        o.key_id,
        at,
      ]);
    else continue;
    await tx.query('INSERT INTO to_assess VALUES ($1) ON CONFLICT DO NOTHING', [o.key_id]);
  }
  await tx.query('UPDATE outcomes SET applied = true WHERE id = ANY ($1::bigint[])', [outcomes.map((o) => o.id)]);
  return outcomes.length;
}

/** The tokens of keys, for addressing recommendations. */
export async function keyTokens(tx: Tx, keys: readonly Id[]): Promise<Map<Id, Buffer>> {
  const rows = await tx.query<{ id: number; token: Buffer }[]>(
    'SELECT id, token FROM tokens WHERE id = ANY ($1::int[])',
    [keys],
  );
  return new Map(rows.map((row) => [row.id, row.token]));
}
