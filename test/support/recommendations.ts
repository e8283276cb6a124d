import { randomUUID } from 'node:crypto';
import { rungRank, type Rung } from '@app/protocol';
import type { TestDatabase } from './test-database.js';
import { token } from './tokens.js';

/** An issued recommendation with its row in the outbox, as an assessment would have left them. */
export async function issueRecommendation(
  db: TestDatabase,
  memberId: number,
  given: { key: string; rung?: Rung; issuedAt: number },
): Promise<{ id: string; jti: string; keyId: number }> {
  const { key, rung = 'warn', issuedAt } = given;
  const [id, jti] = [randomUUID(), randomUUID()];
  await db.asOwner('INSERT INTO tokens (kind, member_id, token) VALUES (0, $1, $2) ON CONFLICT DO NOTHING', [
    memberId,
    Buffer.from(token(`key ${key}`)),
  ]);
  const [row] = await db.asOwner<{ id: number }>(
    'SELECT id FROM tokens WHERE kind = 0 AND member_id = $1 AND token = $2',
    [memberId, Buffer.from(token(`key ${key}`))],
  );
  await db.asOwner(
    `INSERT INTO recommendations (id, member_id, key_id, key_token, rung, probability, policy_version, reasons, explanation,
       customer_notice, issued_at, deadline, state)
     VALUES ($1, $2, $3, $4, $5, 0.5, '1.0.0', $6, $7, $7, $8, $9, 'issued')`,
    [
      id,
      memberId,
      row!.id,
      Buffer.from(token(`key ${key}`)),
      rungRank(rung),
      JSON.stringify([{ code: 'N1', nats: 1.5, text: { ko: '이유', en: 'a reason' } }]),
      JSON.stringify({ ko: '설명', en: 'an explanation' }),
      new Date(issuedAt),
      new Date(issuedAt + 72 * 3_600_000),
    ],
  );
  await db.asOwner(
    `INSERT INTO deliveries (jti, recommendation_id, member_id, state, next_attempt_at) VALUES ($1, $2, $3, 'pending', $4)`,
    [jti, id, memberId, new Date(issuedAt)],
  );
  return { id, jti, keyId: row!.id };
}
