import { Injectable } from '@nestjs/common';
import { Database } from '@app/infrastructure/database';
import { GATE } from './client-directory.service.js';
import { UsedAssertionRepository } from './used-assertion.repository.js';

/** How often each process forgets what has expired, ms. */
const PURGE_EVERY_MS = 60_000;

/** Lets every assertion and every DPoP proof count once, whichever process of the hub sees it. */
@Injectable()
export class UsedAssertions {
  private purgeFrom = 0;

  constructor(
    private readonly database: Database,
    private readonly used: UsedAssertionRepository,
  ) {}

  /**
   * @param clientId who signed it
   * @param id of the assertion or proof, unique for its signer
   * @param lifeS how long from now it could still be used, seconds; at least
   * @returns false where it was used before
   * @throws {BongsuError} UNAVAILABLE
   */
  use(clientId: string, id: string, lifeS: number): Promise<boolean> {
    const now = Date.now();
    const purge = now >= this.purgeFrom;
    if (purge) this.purgeFrom = now + PURGE_EVERY_MS;
    return this.database.transaction(GATE, async (tx) => {
      if (purge) await this.used.purge(tx, new Date(now));
      return this.used.use(tx, clientId, id, new Date(now + lifeS * 1000));
    });
  }
}
