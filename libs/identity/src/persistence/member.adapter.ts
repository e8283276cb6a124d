import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import type { Tx } from '@app/infrastructure/database';
import type { Member, MemberState, PreviousKey } from '../domain/member.js';
import type { PublicJwk } from '../domain/public-jwk.js';
import { MemberRepository } from '../member.repository.js';
import { MemberEntity } from './entities.js';

@Injectable()
export class MemberAdapter extends MemberRepository {
  async insert(tx: Tx, member: Omit<Member, 'id' | 'state' | 'previousKey'>): Promise<number | null> {
    const result = await tx
      .createQueryBuilder()
      .insert()
      .into(MemberEntity)
      .values({ ...member, state: 'active' })
      .orIgnore()
      .returning('id')
      .execute();
    const [row] = result.raw as { id: number }[];
    return row?.id ?? null;
  }

  async byName(tx: Tx, name: string): Promise<Member | null> {
    const row = await tx.findOneBy(MemberEntity, { name });
    return row && toMember(row);
  }

  async byIds(tx: Tx, ids: readonly number[]): Promise<Member[]> {
    if (ids.length === 0) return [];
    return (await tx.find(MemberEntity, { where: { id: In([...ids]) }, order: { id: 'ASC' } })).map(toMember);
  }

  async list(tx: Tx): Promise<Member[]> {
    return (await tx.find(MemberEntity, { order: { name: 'ASC' } })).map(toMember);
  }

  async setKey(
    tx: Tx,
    id: number,
    { from, to, previous }: { from: PublicJwk; to: PublicJwk; previous: PreviousKey | null },
  ): Promise<boolean> {
    const result = await tx
      .createQueryBuilder()
      .update(MemberEntity)
      .set({ jwk: to, previousJwk: previous?.jwk ?? null, previousUntil: previous?.until ?? null })
      .where('id = :id AND jwk = :from', { id, from: JSON.stringify(from) })
      .execute();
    return result.affected === 1;
  }

  async setState(tx: Tx, id: number, state: MemberState): Promise<void> {
    await tx.update(MemberEntity, { id }, { state });
  }

  async leave(tx: Tx, id: number): Promise<void> {
    await tx.update(MemberEntity, { id }, { state: 'left', contacts: [], endpointUrl: null });
  }
}

function toMember(row: MemberEntity): Member {
  const { id, name, state, jwk, previousJwk, previousUntil, deliveryMethod, endpointUrl, contacts, createdAt } = row;
  const previousKey = previousJwk && previousUntil ? { jwk: previousJwk, until: previousUntil } : null;
  return { id, name, state, jwk, previousKey, deliveryMethod, endpointUrl, contacts, createdAt };
}
