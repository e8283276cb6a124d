import type { Tx } from '@app/infrastructure/database';
import { encodeToken, TOKEN_KINDS, type BatchColumns, type TokenKind } from '@app/protocol';
import { tokensOf, translate } from '../domain/epoch.js';

/** What of a stored batch its translation goes by. */
export interface SentIn {
  memberId: number;
  epoch: number;
}

/**
 * The rows of a batch as they stand: where its epoch is past, with its member's own pairs put in the place of the old
 * tokens. What the member has not paired stands by itself.
 */
export async function asItStands(tx: Tx, { memberId, epoch }: SentIn, columns: BatchColumns): Promise<BatchColumns> {
  const dictionaries = tokensOf(columns);
  const rows = await tx.query<{ kind: number; old: Buffer; new: Buffer }[]>(
    `SELECT r.kind, r.old_token AS old, r.new_token AS new FROM reenrolments r
     JOIN unnest($3::smallint[], $4::bytea[]) s (kind, token) ON s.kind = r.kind AND s.token = r.old_token
     WHERE r.member_id = $1 AND r.epoch > $2 AND r.applied_at IS NOT NULL`,
    [
      memberId,
      epoch,
      dictionaries.flatMap(([kind, tokens]) => tokens.map(() => TOKEN_KINDS.indexOf(kind))),
      dictionaries.flatMap(([, tokens]) => tokens.map((token) => Buffer.from(token))),
    ],
  );
  if (rows.length === 0) return columns;
  const pairs = new Map<TokenKind, Map<string, Uint8Array>>(TOKEN_KINDS.map((kind) => [kind, new Map()]));
  for (const row of rows) pairs.get(TOKEN_KINDS[row.kind]!)!.set(encodeToken(row.old), row.new);
  return translate(columns, pairs);
}

/** Some of a member's tokens, and those that it has paired them with: a value may stand under either for a while. */
export async function underEveryKey(
  tx: Tx,
  memberId: number,
  kind: TokenKind,
  tokens: readonly Uint8Array[],
): Promise<Buffer[]> {
  const rows = await tx.query<{ token: Buffer }[]>(
    `SELECT t AS token FROM unnest($3::bytea[]) t
     UNION SELECT new_token FROM reenrolments WHERE member_id = $1 AND kind = $2 AND old_token = ANY ($3::bytea[])
     UNION SELECT old_token FROM reenrolments WHERE member_id = $1 AND kind = $2 AND new_token = ANY ($3::bytea[])`,
    [memberId, TOKEN_KINDS.indexOf(kind), tokens.map((token) => Buffer.from(token))],
  );
  return rows.map((row) => row.token);
}

/** Forgets what a member has paired some tokens with. */
export async function forgetPairs(tx: Tx, memberId: number, kind: TokenKind, tokens: readonly Buffer[]): Promise<void> {
  await tx.query(
    `DELETE FROM reenrolments WHERE member_id = $1 AND kind = $2
       AND (old_token = ANY ($3::bytea[]) OR new_token = ANY ($3::bytea[]))`,
    [memberId, TOKEN_KINDS.indexOf(kind), tokens],
  );
}
