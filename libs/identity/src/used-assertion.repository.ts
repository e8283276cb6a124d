import type { Tx } from '@app/infrastructure/database';

/** Ids of assertions that were used: each counts once. */
export abstract class UsedAssertionRepository {
  /**
   * Marks an assertion as used, and forgets those of the client that have expired by `now`.
   * @returns false where it was used before
   */
  abstract use(tx: Tx, clientId: string, jti: string, expiresAt: Date, now: Date): Promise<boolean>;
}
