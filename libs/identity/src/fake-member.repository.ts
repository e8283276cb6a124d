import type { Tx } from '@app/infrastructure/database';
import type { Member, MemberState } from './domain/member.js';
import { MemberRepository } from './member.repository.js';

export class FakeMemberRepository extends MemberRepository {
  readonly members: Member[] = [];

  async insert(_tx: Tx, member: Omit<Member, 'id' | 'state'>): Promise<number | null> {
    if (this.members.some((m) => m.name === member.name)) return null;
    return this.members.push({ ...member, id: this.members.length + 1, state: 'active' });
  }

  async byName(_tx: Tx, name: string): Promise<Member | null> {
    return this.members.find((m) => m.name === name) ?? null;
  }

  async byIds(_tx: Tx, ids: readonly number[]): Promise<Member[]> {
    return this.members.filter((m) => ids.includes(m.id));
  }

  async list(): Promise<Member[]> {
    return [...this.members].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async setState(_tx: Tx, id: number, state: MemberState): Promise<void> {
    for (const member of this.members) if (member.id === id) member.state = state;
  }

  async leave(_tx: Tx, id: number): Promise<void> {
    for (const member of this.members)
      if (member.id === id) Object.assign(member, { state: 'left', contacts: [], endpointUrl: null });
  }
}
