import { Injectable } from '@nestjs/common';
import { Database, principalName, type Principal } from '@app/infrastructure/database';
import { AuditLog, MOST_ROWS } from './audit-log.service.js';
import type { AuditEntry, AuditFilter } from './audit.repository.js';

/** One page of the log. */
export interface AuditPage {
  entries: AuditEntry[];
  hasNext: boolean;
}

/** Readings that go on and are kept in mind; one more than that is recorded anew. */
const MOST_READINGS = 100;

/** The log as auditors read it. To read it is itself recorded: once for each reading, however many pages it has. */
@Injectable()
export class AuditTrail {
  /** By actor and filter: the cursor that the next page of a reading begins at. */
  private readonly readings = new Map<string, string>();

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Rows after a cursor ('' = from the start), at most {@link MOST_ROWS}.
   * @param by an auditor; others see nothing
   * @throws {BongsuError} BAD_INPUT for what is no cursor
   */
  page(by: Principal, after: string, first: number, filter: AuditFilter): Promise<AuditPage> {
    const actor = principalName(by);
    const reading = JSON.stringify([actor, filter]);
    const goesOn = after !== '' && this.readings.get(reading) === after;
    return this.database.transaction(by, async (tx) => {
      const most = Math.min(first, MOST_ROWS - 1);
      const found = await this.audit.read(tx, after, most + 1, filter);
      const entries = found.slice(0, most);
      if (!goesOn)
        await this.audit.record(tx, { actor, action: 'audit.read', subject: 'audit', detail: { after, filter } });
      this.remember(reading, entries.at(-1)?.cursor ?? after);
      return { entries, hasNext: found.length > most };
    });
  }

  private remember(reading: string, next: string): void {
    this.readings.delete(reading);
    if (this.readings.size >= MOST_READINGS) this.readings.delete(this.readings.keys().next().value!);
    this.readings.set(reading, next);
  }
}
