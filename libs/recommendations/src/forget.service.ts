import { Injectable } from '@nestjs/common';
import { expireStates, forgetStates, holdAssessing, reassessInStep } from '@app/assessments';
import type { Tx } from '@app/infrastructure/database';
import { type Forgotten, KeyFollowers } from '@app/signals';
import { TRANSITIONS } from './domain/recommendation.js';

/**
 * How assessments and recommendations go: with the keys that they are about, or with time. Of an erased key's
 * recommendation there stay its id, rung, probability, times and outcomes, so that counts hold and an auditor sees what
 * was done; nothing says any more about which key, why, or in whose words.
 */
@Injectable()
export class ForgetKeys extends KeyFollowers {
  hold(tx: Tx): Promise<void> {
    return holdAssessing(tx);
  }

  async forgetKeys(tx: Tx, memberId: number, keys: readonly number[], at: Date): Promise<Forgotten> {
    await forgetStates(tx, keys);
    const about = await tx.query<{ id: string; rung: number; open: boolean }[]>(
      `SELECT id, rung, state = ANY ($3) AS open FROM recommendations WHERE member_id = $1 AND key_id = ANY ($2::int[])
       FOR UPDATE`,
      [memberId, keys, TRANSITIONS.withdrawn],
    );
    const ids = about.map((r) => r.id);
    await tx.query(
      `UPDATE recommendations SET key_id = 0, key_token = '', reasons = '[]', explanation = $2, customer_notice = $2,
         evidence = NULL, supersedes = NULL, erased_at = $3,
         state = CASE WHEN state = ANY ($4) THEN 'withdrawn' ELSE state END
       WHERE id = ANY ($1::uuid[])`,
      [ids, JSON.stringify({ ko: '', en: '' }), at, TRANSITIONS.withdrawn],
    );
    await tx.query('UPDATE outcomes SET note = NULL, applied = true WHERE recommendation_id = ANY ($1::uuid[])', [ids]);
    await tx.query(
      `UPDATE deliveries SET last_error = CASE WHEN state = 'pending' THEN 'withdrawn: its key was erased' END,
         state = CASE WHEN state = 'pending' THEN 'dead' ELSE state END
       WHERE recommendation_id = ANY ($1::uuid[])`,
      [ids],
    );
    const open = about.filter((r) => r.open);
    return {
      recommendations: about.length,
      open: open.length,
      highestRung: Math.max(0, ...open.map((r) => r.rung)),
    };
  }

  async renamed(tx: Tx, keys: readonly number[]): Promise<void> {
    await tx.query(
      `UPDATE recommendations r SET key_token = t.token FROM tokens t
       WHERE t.id = r.key_id AND r.key_id = ANY ($1::int[]) AND r.key_token <> t.token`,
      [keys],
    );
  }

  async leave(tx: Tx, memberId: number): Promise<void> {
    await tx.query(
      `UPDATE deliveries SET state = 'dead', last_error = 'the member has left' WHERE member_id = $1 AND state = 'pending'`,
      [memberId],
    );
  }

  reassessUnlinked(tx: Tx): Promise<void> {
    return reassessInStep(tx);
  }

  /** A month's recommendations stay until its report is closed: the report is counted from them. */
  async expire(tx: Tx, before: Date, most: number): Promise<boolean> {
    await expireStates(tx, before);
    const rows = await tx.query<{ id: string }[]>(
      `SELECT id FROM recommendations r WHERE issued_at < $1 AND EXISTS (
         SELECT 1 FROM reports p WHERE p.period = to_char(r.issued_at AT TIME ZONE 'Asia/Seoul', 'YYYY-MM'))
       LIMIT $2 FOR UPDATE`,
      [before, most],
    );
    const ids = rows.map((row) => row.id);
    for (const [table, column] of [
      ['deliveries', 'recommendation_id'],
      ['outcomes', 'recommendation_id'],
      ['recommendations', 'id'],
    ] as const)
      await tx.query(`DELETE FROM ${table} WHERE ${column} = ANY ($1::uuid[])`, [ids]);
    return ids.length === most;
  }
}
