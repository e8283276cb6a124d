import type { Tx } from '@app/infrastructure/database';
import type { Member, MemberState, PreviousKey } from './domain/member.js';
import type { PublicJwk } from './domain/public-jwk.js';

/** Members, as row-level security lets the transaction's principal see them. */
export abstract class MemberRepository {
  /** @returns the new id, or null where the name is taken */
  abstract insert(tx: Tx, member: Omit<Member, 'id' | 'state' | 'previousKey'>): Promise<number | null>;
  abstract byName(tx: Tx, name: string): Promise<Member | null>;
  abstract byIds(tx: Tx, ids: readonly number[]): Promise<Member[]>;
  /** All, by name. */
  abstract list(tx: Tx): Promise<Member[]>;
  /** @returns false where the key is not (or no longer) `from` */
  abstract setKey(
    tx: Tx,
    id: number,
    change: { from: PublicJwk; to: PublicJwk; previous: PreviousKey | null },
  ): Promise<boolean>;
  abstract setState(tx: Tx, id: number, state: MemberState): Promise<void>;

  /** Marks a member as gone for good: whom to call there and where events went is forgotten. */
  abstract leave(tx: Tx, id: number): Promise<void>;
}
