import { Injectable } from '@nestjs/common';
import { Database, principalName, type Principal } from '@app/infrastructure/database';
import { createLogger, reasonOf } from '@app/infrastructure/logging';
import { AuditLog } from './audit-log.service.js';
import { DenialLimit } from './domain/denial-limit.js';

/** Refusals that are recorded in a minute: of one caller, and of all. Counted in each process. */
const PER_CALLER = 30;
const IN_ALL = 600;
const WINDOW_MS = 60_000;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Things that a member addresses by an id. */
export type RowKind = 'batch' | 'recommendation' | 'event';

/** An attempt that was refused. */
export interface Refusal {
  /** `access.forbidden`, `access.not_found`. */
  action: string;
  /** What was asked for: `Mutation.addMember`, `batch:…`. */
  subject: string;
  detail?: Record<string, unknown>;
}

/**
 * Attempts that were refused to somebody who is known. Recorded in a transaction of their own, because that of the
 * attempt, if there was one, is rolled back. The refusal stands also where it cannot be recorded.
 */
@Injectable()
export class Refusals {
  private readonly limit = new DenialLimit(PER_CALLER, IN_ALL, WINDOW_MS);
  private readonly logger = createLogger('audit');

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  record(by: Principal, refusal: Refusal): Promise<void> {
    return this.bounded(by, () => Promise.resolve(refusal));
  }

  /**
   * For a row that the caller's name does not reach: recorded where it is another member's. Nobody is told whether it
   * is.
   * @param operation what was attempted: `withdrawBatch`
   */
  async missed(by: Principal, kind: RowKind, id: string, operation: string): Promise<void> {
    if (by.kind !== 'member' || !UUID.test(id)) return;
    await this.bounded(by, async () => {
      const [row] = await this.database.transaction(by, (tx) =>
        tx.query<{ held: boolean }[]>('SELECT another_member_has($1, $2) AS held', [kind, id]),
      );
      if (!row?.held) return null;
      return { action: 'access.not_found', subject: `${kind}:${id}`, detail: { operation, why: 'another member’s' } };
    });
  }

  private async bounded(by: Principal, find: () => Promise<Refusal | null>): Promise<void> {
    const actor = principalName(by);
    const verdict = this.limit.count(actor, performance.now());
    if (verdict === 'silent') return;
    try {
      const refusal = verdict === 'flood' ? { action: 'access.flood', subject: actor } : await find();
      if (!refusal) return;
      await this.database.transaction(by, (tx) => this.audit.record(tx, { actor, ...refusal }));
    } catch (error) {
      this.logger.error({ actor, reason: reasonOf(error) }, 'a refused attempt could not be recorded in the audit');
    }
  }
}
