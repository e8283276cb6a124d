import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import type { Tx } from '@app/infrastructure/database';
import { UsedAssertionRepository } from '../used-assertion.repository.js';
import { UsedAssertionEntity } from './entities.js';

@Injectable()
export class UsedAssertionAdapter extends UsedAssertionRepository {
  async use(tx: Tx, clientId: string, jti: string, expiresAt: Date, now: Date): Promise<boolean> {
    await tx.delete(UsedAssertionEntity, { clientId, expiresAt: LessThan(now) });
    const result = await tx
      .createQueryBuilder()
      .insert()
      .into(UsedAssertionEntity)
      .values({ clientId, jti, expiresAt })
      .orIgnore()
      .returning('jti')
      .execute();
    return (result.raw as unknown[]).length === 1;
  }
}
