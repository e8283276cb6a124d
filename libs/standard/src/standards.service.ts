import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/infrastructure/database';
import { TimedCache } from '@app/keys';
import { BongsuError, checkPolicy } from '@app/protocol';
import type { Standard } from './domain/standard.js';
import { StandardRepository, type StoredStandard } from './standard.repository.js';

/** How long a new version may go unseen by another process, ms. */
const CURRENT_LIFE_MS = 2000;

/** The versions of the standard, their policies checked. */
@Injectable()
export class Standards {
  private readonly kept = new TimedCache<'current', Standard>(CURRENT_LIFE_MS);

  constructor(private readonly standards: StandardRepository) {}

  /**
   * The version in force, up to two seconds old.
   * @throws {BongsuError} NOT_FOUND where none is, POLICY_INVALID for a policy that this build cannot read
   */
  current(tx: Tx): Promise<Standard> {
    return this.kept.get('current', async () => {
      const stored = await this.standards.inForce(tx);
      if (!stored) throw new BongsuError('NOT_FOUND', 'No version of the standard is in force: run the migrations.');
      return checked(stored);
    });
  }

  /** @throws {BongsuError} NOT_FOUND */
  async byVersion(tx: Tx, version: string): Promise<Standard> {
    const stored = await this.standards.byVersion(tx, version);
    if (!stored) throw new BongsuError('NOT_FOUND', 'No such version of the standard.', 'version');
    return checked(stored);
  }
}

function checked(stored: StoredStandard): Standard {
  return { ...stored, policy: checkPolicy(stored.policy) };
}
