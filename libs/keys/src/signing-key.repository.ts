import type { Tx } from '@app/infrastructure/database';
import type { PublicSigningKey } from './domain/signing-key.js';

/** The register of public signing keys that every process of the hub shares. */
export abstract class SigningKeyRepository {
  /** Adds a key; one that is there already stays as it is. */
  abstract register(tx: Tx, key: PublicSigningKey, at: Date): Promise<void>;

  /** Keys that still verify at a time: neither retired nor unknown, oldest first. */
  abstract valid(tx: Tx, at: Date): Promise<PublicSigningKey[]>;
}
