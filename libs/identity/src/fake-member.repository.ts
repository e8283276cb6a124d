import type { Tx } from '@app/infrastructure/database';
import type { Member, MemberState, PreviousKey } from './domain/member.js';
import { sameKey, type PublicJwk } from './domain/public-jwk.js';
import { MemberRepository } from './member.repository.js';

export class FakeMemberRepository extends MemberRepository {
  readonly members: Member[] = [];

  async insert(_tx: Tx, member: Omit<Member, 'id' | 'state' | 'previousKey'>): Promise<number | null> {
    if (this.members.some((m) => m.name === member.name)) return null;
    return this.members.push({ ...member, id: this.members.length + 1, state: 'active', previousKey: null });
  }

  async byName(_tx: Tx, name: string): Promise<Member | null> {
    const found = this.members.find((m) => m.name === name);
    return found ? { ...found } : null;
  }

  async byIds(_tx: Tx, ids: readonly number[]): Promise<Member[]> {
    return this.members.filter((m) => ids.includes(m.id)).map((m) => ({ ...m }));
  }

  async list(): Promise<Member[]> {
    return [...this.members].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async setKey(
    _tx: Tx,
    id: number,
    change: { from: PublicJwk; to: PublicJwk; previous: PreviousKey | null },
  ): Promise<boolean> {
    const found = this.members.find((m) => m.id === id && sameKey(m.jwk, change.from));
    if (found) Object.assign(found, { jwk: change.to, previousKey: change.previous });
    return found !== undefined;
  }

  async setState(_tx: Tx, id: number, state: MemberState): Promise<void> {
    for (const member of this.members) if (member.id === id) member.state = state;
  }

  async leave(_tx: Tx, id: number): Promise<void> {
    for (const member of this.members)
      if (member.id === id) Object.assign(member, { state: 'left', contacts: [], endpointUrl: null });
  }
}
