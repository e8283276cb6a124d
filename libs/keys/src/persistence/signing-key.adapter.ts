import type { JsonWebKey } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/infrastructure/database';
import type { RegisteredKey } from '../domain/key-register.js';
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
      .values({ kid: key.kid, alg: key.alg, publicJwk: key.jwk, createdAt: at, retiredAt: null, stolen: false })
      .orIgnore()
      .execute();
  }

  async list(tx: Tx): Promise<RegisteredKey[]> {
    const rows = await tx.find(SigningKeyEntity, { order: { createdAt: 'ASC', kid: 'ASC' } });
    return rows.map(({ kid, alg, publicJwk, createdAt, retiredAt, stolen }) => ({
      kid,
      alg: alg as SigningAlgorithm,
      jwk: publicJwk as JsonWebKey,
      createdAt,
      retiredAt,
      stolen,
    }));
  }

  async retire(tx: Tx, kid: string, retiredAt: Date, stolen: boolean): Promise<void> {
    await tx.update(SigningKeyEntity, { kid }, { retiredAt, stolen });
  }
}
