import type { Tx } from '@app/infrastructure/database';
import type { Recommendation } from './domain/recommendation.js';
import { RecommendationEntity } from './persistence/recommendation.entity.js';
import { toRecommendation } from './persistence/recommendation.mapper.js';

/** An event that waits for its receiver. */
export interface PendingEvent {
  jti: string;
  /** Attempts made so far. */
  attempts: number;
  recommendation: Recommendation;
}

/**
 * A member's waiting events, oldest first; with `dueBy`, only those whose next attempt is due, and none whose key has an
 * older one that is not: events of one key keep their order.
 */
export async function pendingEvents(tx: Tx, memberId: number, most: number, dueBy?: Date): Promise<PendingEvent[]> {
  const rows = await tx.query<{ jti: string; attempts: number; recommendation_id: string }[]>(
    `SELECT d.jti, d.attempts, d.recommendation_id FROM deliveries d JOIN recommendations r ON r.id = d.recommendation_id
     WHERE d.member_id = $1 AND d.state = 'pending' AND ($2::timestamptz IS NULL OR (d.next_attempt_at <= $2 AND NOT EXISTS (
       SELECT 1 FROM deliveries e JOIN recommendations q ON q.id = e.recommendation_id
       WHERE e.member_id = $1 AND e.state = 'pending' AND e.id < d.id AND e.next_attempt_at > $2 AND q.key_id = r.key_id)))
     ORDER BY d.id LIMIT $3`,
    [memberId, dueBy ?? null, most],
  );
  const found = await tx
    .createQueryBuilder(RecommendationEntity, 'r')
    .where('r.id = ANY (:ids)', { ids: rows.map((row) => row.recommendation_id) })
    .getMany();
  const byId = new Map(found.map((entity) => [entity.id, toRecommendation(entity)]));
  return rows.flatMap(({ jti, attempts, recommendation_id }) => {
    const recommendation = byId.get(recommendation_id);
    return recommendation ? [{ jti, attempts, recommendation }] : [];
  });
}

/** Marks events as handed over in a poll's answer. */
export async function markDelivered(tx: Tx, memberId: number, jtis: readonly string[], at: Date): Promise<void> {
  await tx.query(
    `UPDATE recommendations r SET delivered_at = coalesce(r.delivered_at, $3),
       state = CASE WHEN r.state = 'issued' THEN 'delivered' ELSE r.state END
     FROM deliveries d WHERE d.recommendation_id = r.id AND d.member_id = $1 AND d.jti::text = ANY ($2)`,
    [memberId, jtis, at],
  );
}

/**
 * Marks events as journalled by their receiver. Unknown jti, or another member's, change nothing.
 * @returns how many were not acknowledged before
 */
export async function markAcknowledged(tx: Tx, memberId: number, jtis: readonly string[], at: Date): Promise<number> {
  if (jtis.length === 0) return 0;
  await tx.query(
    `UPDATE recommendations r SET delivered_at = coalesce(r.delivered_at, $3), acknowledged_at = coalesce(r.acknowledged_at, $3),
       state = CASE WHEN r.state IN ('issued', 'delivered') THEN 'acknowledged' ELSE r.state END
     FROM deliveries d WHERE d.recommendation_id = r.id AND d.member_id = $1 AND d.jti::text = ANY ($2)`,
    [memberId, jtis, at],
  );
  const [, changed] = await tx.query<[unknown[], number]>(
    `UPDATE deliveries SET state = 'acknowledged', last_error = NULL
     WHERE member_id = $1 AND jti::text = ANY ($2) AND state <> 'acknowledged'`,
    [memberId, jtis],
  );
  return changed;
}

/** Those of the jti that name no event which the transaction's principal may see. */
export async function unknownEvents(tx: Tx, jtis: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ jti: string }[]>(
    `SELECT DISTINCT jti FROM unnest($1::text[]) AS given (jti)
     WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.jti::text = given.jti)`,
    [jtis],
  );
  return rows.map((row) => row.jti);
}

/** Puts an event aside for a person. @returns whether there was one that waited */
export async function markDead(tx: Tx, memberId: number, jti: string, reason: string): Promise<boolean> {
  const [, changed] = await tx.query<[unknown[], number]>(
    `UPDATE deliveries SET state = 'dead', attempts = attempts + 1, last_error = $3
     WHERE member_id = $1 AND jti::text = $2 AND state = 'pending'`,
    [memberId, jti, reason.slice(0, 500)],
  );
  return changed > 0;
}

export async function markFailed(
  tx: Tx,
  memberId: number,
  jti: string,
  reason: string,
  nextAttempt: Date,
): Promise<void> {
  await tx.query(
    `UPDATE deliveries SET attempts = attempts + 1, last_error = $3, next_attempt_at = $4
     WHERE member_id = $1 AND jti::text = $2 AND state = 'pending'`,
    [memberId, jti, reason.slice(0, 500), nextAttempt],
  );
}
