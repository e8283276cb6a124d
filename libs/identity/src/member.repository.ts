import type { Tx } from '@app/infrastructure/database';
import type { Member, MemberState } from './domain/member.js';

/** Members, as row-level security lets the transaction's principal see them. */
export abstract class MemberRepository {
  /** @returns the new id, or null where the name is taken */
  abstract insert(tx: Tx, member: Omit<Member, 'id' | 'state'>): Promise<number | null>;
  abstract byName(tx: Tx, name: string): Promise<Member | null>;
  abstract byIds(tx: Tx, ids: readonly number[]): Promise<Member[]>;
  /** All, by name. */
  abstract list(tx: Tx): Promise<Member[]>;
  abstract setState(tx: Tx, id: number, state: MemberState): Promise<void>;

  /** Marks a member as gone for good: whom to call there and where events went is forgotten. */
  abstract leave(tx: Tx, id: number): Promise<void>;
}
