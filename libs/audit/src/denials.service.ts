import { Injectable } from '@nestjs/common';
import { Database, principalName, type Principal } from '@app/infrastructure/database';
import { createLogger, reasonOf } from '@app/infrastructure/logging';
import { AuditLog } from './audit-log.service.js';
import { FloodGate } from './domain/flood-gate.js';

/** Most denials of one caller that are recorded in a minute, in each process: a flood must not fill the log. */
const MOST_A_MINUTE = 30;
const MINUTE_MS = 60_000;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Things that a member addresses by an id. */
export type RowKind = 'batch' | 'recommendation' | 'event';

/** An attempt that was refused. */
export interface Denial {
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
export class Denials {
  private readonly gate = new FloodGate(MOST_A_MINUTE, MINUTE_MS);
  private readonly logger = createLogger('audit');

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  async record(by: Principal, denial: Denial): Promise<void> {
    await this.bounded(by, () => Promise.resolve(denial));
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

  private async bounded(by: Principal, find: () => Promise<Denial | null>): Promise<void> {
    const actor = principalName(by);
    const admission = this.gate.admit(actor, performance.now());
    if (admission === 'dropped') return;
    try {
      const denial = await find();
      await this.database.transaction(by, async (tx) => {
        if (denial) await this.audit.record(tx, { actor, ...denial });
        if (admission === 'last')
          await this.audit.record(tx, {
            actor,
            action: 'access.flood',
            subject: actor,
            detail: { recorded: MOST_A_MINUTE, rest: 'further denials of this minute are not recorded' },
          });
      });
    } catch (error) {
      this.logger.error({ actor, reason: reasonOf(error) }, 'a refused attempt could not be recorded in the audit');
    }
  }
}
