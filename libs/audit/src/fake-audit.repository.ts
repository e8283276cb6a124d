import type { Tx } from '@app/infrastructure/database';
import { AuditRepository, type AuditEntry, type AuditFilter, type AuditRow } from './audit.repository.js';

export class FakeAuditRepository extends AuditRepository {
  readonly entries: AuditEntry[] = [];

  async append(_tx: Tx, row: AuditRow): Promise<void> {
    this.entries.push({ ...row, cursor: `1.${this.entries.length + 1}` });
  }

  async after(_tx: Tx, cursor: string, most: number, filter: AuditFilter): Promise<AuditEntry[]> {
    const from = cursor === '' ? 0 : Number(cursor.split('.')[1]);
    return this.entries
      .slice(from)
      .filter((e) => (filter.actor ?? e.actor) === e.actor && (filter.action ?? e.action) === e.action)
      .slice(0, most);
  }
}
