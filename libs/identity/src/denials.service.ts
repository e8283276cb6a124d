import { Injectable } from '@nestjs/common';
import { AuditLog, DenialLimit } from '@app/audit';
import { Database } from '@app/infrastructure/database';
import { workContext } from '@app/infrastructure/logging';
import { GATE } from './client-directory.service.js';
import { addressKey } from './domain/address.js';

/** Rows that refusals may write in a minute: for one address, and for all. Counted in each process. */
const PER_ADDRESS = 30;
const IN_ALL = 600;
const WINDOW_MS = 60_000;

/** Why somebody was refused; thrown where it is found, told to the audit alone. */
export class Denial extends Error {
  constructor(readonly reason: string) {
    super(reason);
  }
}

/** Puts refused attempts to get in on the audit, as many as it can bear. */
@Injectable()
export class Denials {
  private readonly limit = new DenialLimit(PER_ADDRESS, IN_ALL, WINDOW_MS);

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  /**
   * @param action `access.denied` at a door, `token.denied` at the token endpoint
   * @param subject whom the attempt claimed to come from, or `-`
   * @throws {BongsuError} UNAVAILABLE when PostgreSQL is away
   */
  async record(action: 'access.denied' | 'token.denied', subject: string, reason: string): Promise<void> {
    // A monotonic count: it is about real seconds, whatever the clock says.
    const verdict = this.limit.count(addressKey(workContext()?.from), performance.now());
    if (verdict === 'silent') return;
    const why = verdict === 'flood' ? 'flood' : reason;
    await this.database.transaction(GATE, (tx) =>
      this.audit.record(tx, { actor: 'unknown', action, subject, detail: { reason: why } }),
    );
  }
}
