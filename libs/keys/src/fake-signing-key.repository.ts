import type { Tx } from '@app/infrastructure/database';
import type { RegisteredKey } from './domain/key-register.js';
import type { PublicSigningKey } from './domain/signing-key.js';
import { SigningKeyRepository } from './signing-key.repository.js';

export class FakeSigningKeyRepository extends SigningKeyRepository {
  readonly rows: RegisteredKey[] = [];

  async register(_tx: Tx, { kid, alg, jwk }: PublicSigningKey, createdAt: Date): Promise<void> {
    if (!this.rows.some((row) => row.kid === kid))
      this.rows.push({ kid, alg, jwk, createdAt, retiredAt: null, stolen: false });
  }

  async list(): Promise<RegisteredKey[]> {
    return [...this.rows];
  }

  async retire(_tx: Tx, kid: string, retiredAt: Date, stolen: boolean): Promise<void> {
    for (const row of this.rows) if (row.kid === kid) Object.assign(row, { retiredAt, stolen });
  }
}
