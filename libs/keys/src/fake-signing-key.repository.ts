import type { Tx } from '@app/infrastructure/database';
import type { PublicSigningKey } from './domain/signing-key.js';
import { SigningKeyRepository } from './signing-key.repository.js';

export class FakeSigningKeyRepository extends SigningKeyRepository {
  readonly rows: { key: PublicSigningKey; retiredAt: Date | null }[] = [];

  async register(_tx: Tx, { kid, alg, jwk }: PublicSigningKey): Promise<void> {
    if (!this.rows.some((row) => row.key.kid === kid)) this.rows.push({ key: { kid, alg, jwk }, retiredAt: null });
  }

  async valid(_tx: Tx, at: Date): Promise<PublicSigningKey[]> {
    return this.rows.filter((row) => !row.retiredAt || row.retiredAt > at).map((row) => row.key);
  }
}
