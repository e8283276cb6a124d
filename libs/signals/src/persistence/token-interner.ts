import type { Tx } from '@app/infrastructure/database';
import { TOKEN_KINDS, type TokenKind } from '@app/protocol';

/** Most tokens remembered before the memory starts anew: about 60 MB. */
const REMEMBERED = 300_000;

/**
 * Tokens to integers. The table is the truth; a process remembers what it has seen committed. A key's token belongs to
 * the member that sent it, so no member can speak of another's key.
 */
export class TokenInterner {
  private readonly known = new Map<string, number>();
  /** The purge of tokens after which `known` was learnt. */
  private purges = '';

  /**
   * Begins a transaction's interning: forgets what was remembered before the last purge of tokens.
   * @param purges number of that purge; no other may happen before the transaction ends (`holdOffPurges`)
   */
  begin(purges: string): void {
    if (purges === this.purges) return;
    this.known.clear();
    this.purges = purges;
  }

  /**
   * Ids of tokens, in their order; unknown tokens get one.
   * @param memberId whose keys, for kind `key`; other kinds are the same for all
   * @returns the ids, and a function to call once the transaction has committed
   */
  async intern(tx: Tx, kind: TokenKind, tokens: readonly Uint8Array[], memberId: number) {
    const kindNo = TOKEN_KINDS.indexOf(kind);
    const scope = kind === 'key' ? memberId : 0;
    const names = tokens.map(
      (t) => `${kindNo}:${scope}:${Buffer.from(t.buffer, t.byteOffset, t.byteLength).toString('latin1')}`,
    );
    const fresh = new Map<string, number>();
    const missing = tokens.filter((_, i) => !this.known.has(names[i]!)).map((t) => Buffer.from(t));
    if (missing.length > 0) {
      // One order for all, so that two folds that meet the same new tokens wait for each other, never in a circle.
      missing.sort(Buffer.compare);
      await tx.query(
        `INSERT INTO tokens (kind, member_id, token) SELECT $1::smallint, $2::integer, t FROM unnest($3::bytea[]) t
         WHERE NOT EXISTS (SELECT 1 FROM tokens k WHERE k.kind = $1 AND k.member_id = $2 AND k.token = t) ORDER BY t
         ON CONFLICT DO NOTHING`,
        [kindNo, scope, missing],
      );
      const rows = await tx.query<{ id: number; token: Buffer }[]>(
        'SELECT id, token FROM tokens WHERE kind = $1 AND member_id = $2 AND token = ANY ($3::bytea[])',
        [kindNo, scope, missing],
      );
      for (const { id, token } of rows) fresh.set(`${kindNo}:${scope}:${token.toString('latin1')}`, id);
    }
    const ids = Uint32Array.from(names, (name) => this.known.get(name) ?? fresh.get(name)!);
    const { purges } = this;
    return {
      ids,
      // A purge may have come between the commit and this call.
      committed: () => {
        if (purges === this.purges) this.remember(fresh);
      },
    };
  }

  private remember(fresh: ReadonlyMap<string, number>): void {
    if (this.known.size + fresh.size > REMEMBERED) this.known.clear();
    for (const [name, id] of fresh) this.known.set(name, id);
  }
}
