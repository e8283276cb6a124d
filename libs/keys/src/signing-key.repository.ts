import type { Tx } from '@app/infrastructure/database';
import type { RegisteredKey } from './domain/key-register.js';
import type { PublicSigningKey } from './domain/signing-key.js';

/** The register of public signing keys that every process of the hub shares. */
export abstract class SigningKeyRepository {
  /** Adds a key; one that is there already stays as it is. */
  abstract register(tx: Tx, key: PublicSigningKey, at: Date): Promise<void>;

  /** All keys, those that are refused too, oldest first. */
  abstract list(tx: Tx): Promise<RegisteredKey[]>;

  /** Says from when on a key is refused. */
  abstract retire(tx: Tx, kid: string, at: Date, stolen: boolean): Promise<void>;
}
