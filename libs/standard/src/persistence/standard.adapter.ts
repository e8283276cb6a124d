import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/infrastructure/database';
import { StandardRepository, type StoredStandard } from '../standard.repository.js';
import { StandardEntity } from './standard.entity.js';

@Injectable()
export class StandardAdapter extends StandardRepository {
  async inForce(tx: Tx): Promise<StoredStandard | null> {
    return toStandard(await tx.findOneBy(StandardEntity, { state: 'in_force' }));
  }

  async byVersion(tx: Tx, version: string): Promise<StoredStandard | null> {
    return toStandard(await tx.findOneBy(StandardEntity, { version }));
  }
}

function toStandard(row: StandardEntity | null): StoredStandard | null {
  if (!row) return null;
  const { version, effectiveFrom, textKo, textEn, policy, contentHash } = row;
  return { version, effectiveFrom, textKo, textEn, policy, contentHash };
}
