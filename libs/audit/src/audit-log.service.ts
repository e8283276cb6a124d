import { Injectable } from '@nestjs/common';
import { Clock } from '@app/infrastructure/clock';
import type { Tx } from '@app/infrastructure/database';
import { AuditRepository, type AuditEntry, type AuditFact } from './audit.repository.js';

/** Most rows of one reading. */
const MOST_ROWS = 1000;

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
   * refusal must let its transaction commit.
   */
  async record(tx: Tx, fact: AuditFact): Promise<void> {
    const { actor, action, subject, detail = {} } = fact;
    await this.entries.append(
      tx,
      { actor: actor.slice(0, LONGEST), action, subject: subject.slice(0, LONGEST), detail },
      new Date(this.clock.now()),
    );
  }

  /** Rows after a cursor, oldest first; only a staff principal sees any. */
  read(tx: Tx, cursor = '0', most = 100): Promise<AuditEntry[]> {
    return this.entries.after(tx, cursor, Math.min(most, MOST_ROWS));
  }
}
