import type { JsonWebKey } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import type { Tx } from '@app/infrastructure/database';
import type { PublicSigningKey, SigningAlgorithm } from '../domain/signing-key.js';
import { SigningKeyRepository } from '../signing-key.repository.js';
import { SigningKeyEntity } from './signing-key.entity.js';

@Injectable()
export class SigningKeyAdapter extends SigningKeyRepository {
  async register(tx: Tx, key: PublicSigningKey, at: Date): Promise<void> {
    await tx
      .createQueryBuilder()
      .insert()
      .into(SigningKeyEntity)
      .values({ kid: key.kid, alg: key.alg, publicJwk: key.jwk, createdAt: at, retiredAt: null })
      .orIgnore()
      .execute();
  }

  async valid(tx: Tx, at: Date): Promise<PublicSigningKey[]> {
    const rows = await tx.find(SigningKeyEntity, {
      where: [{ retiredAt: IsNull() }, { retiredAt: MoreThan(at) }],
      order: { createdAt: 'ASC', kid: 'ASC' },
    });
    return rows.map((row) => ({ kid: row.kid, alg: row.alg as SigningAlgorithm, jwk: row.publicJwk as JsonWebKey }));
  }
}
