import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/infrastructure/database';
import { MemberEndpointRepository } from '../member-endpoint.repository.js';
import { MemberEndpointSecretEntity } from './entities.js';

@Injectable()
export class MemberEndpointAdapter extends MemberEndpointRepository {
  async put(tx: Tx, memberId: number, authorization: string): Promise<void> {
    // The hub may write a value and never read one: hence no upsert, which would need to.
    await tx.delete(MemberEndpointSecretEntity, { memberId });
    await tx
      .createQueryBuilder()
      .insert()
      .into(MemberEndpointSecretEntity)
      .values({ memberId, authorization })
      .execute();
  }

  async remove(tx: Tx, memberId: number): Promise<void> {
    await tx.delete(MemberEndpointSecretEntity, { memberId });
  }

  async authorizationOf(tx: Tx, memberId: number): Promise<string | null> {
    return (await tx.findOneBy(MemberEndpointSecretEntity, { memberId }))?.authorization ?? null;
  }
}
