import type { Tx } from '@app/infrastructure/database';

/** Ids of assertions and of DPoP proofs that were used, over all processes of the hub: each counts once. */
export abstract class UsedAssertionRepository {
  /**
   * Marks an assertion or a proof as used.
   * @param id unique for whoever signed it
   * @param expiresAt when it could no longer be used anyway
   * @returns false where it was used before
   */
  abstract use(tx: Tx, clientId: string, id: string, expiresAt: Date): Promise<boolean>;

  /** Forgets what has expired. */
  abstract purge(tx: Tx, now: Date): Promise<void>;
}
