import type { Tx } from '@app/infrastructure/database';
import type { Standard } from './domain/standard.js';

/** A stored version; its policy is checked by whoever uses it. */
export type StoredStandard = Omit<Standard, 'policy'> & { policy: unknown };

export abstract class StandardRepository {
  /** The one version in force. */
  abstract inForce(tx: Tx): Promise<StoredStandard | null>;
  abstract byVersion(tx: Tx, version: string): Promise<StoredStandard | null>;
}
