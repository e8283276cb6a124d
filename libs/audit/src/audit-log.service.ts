import { Injectable } from '@nestjs/common';
import { Clock } from '@app/infrastructure/clock';
import type { Tx } from '@app/infrastructure/database';
import { workContext } from '@app/infrastructure/logging';
import { AuditRepository, type AuditEntry, type AuditFact, type AuditFilter } from './audit.repository.js';
import { changes } from './domain/changes.js';
import { plainText, recordable, type Plain } from './domain/recordable.js';

/** Most rows of one reading. */
export const MOST_ROWS = 1000;

/** Longest actor, action and subject that are kept: a caller may have chosen them. */
const LONGEST = 200;

@Injectable()
export class AuditLog {
  constructor(
    private readonly entries: AuditRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * Adds a row in the caller's transaction, so that a change and its record stand or fall together. Whoever records a
   * refusal must let its transaction commit. Where the work came from is taken from its context.
   */
  async record(tx: Tx, fact: AuditFact): Promise<void> {
    const { from = null, requestId = null } = workContext() ?? {};
    await this.entries.append(tx, {
      at: new Date(this.clock.now()),
      actor: plainText(fact.actor, false, LONGEST),
      action: plainText(fact.action, false, LONGEST),
      subject: plainText(fact.subject, true, LONGEST),
      from,
      requestId,
      ...changes(fact.before, fact.after),
      detail: recordable(fact.detail ?? {}) as Record<string, Plain>,
    });
  }

  /** Rows after a cursor ('' = from the start), in their order; only an auditor's principal sees any. */
  read(tx: Tx, cursor = '', most = 100, filter: AuditFilter = {}): Promise<AuditEntry[]> {
    return this.entries.after(tx, cursor, Math.min(most, MOST_ROWS), filter);
  }
}
