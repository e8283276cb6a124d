import type { Tx } from '@app/infrastructure/database';
import { AuditRepository, type AuditEntry, type AuditFact } from './audit.repository.js';

export class FakeAuditRepository extends AuditRepository {
  readonly entries: AuditEntry[] = [];

  async append(_tx: Tx, fact: Required<AuditFact>, at: Date): Promise<void> {
    this.entries.push({ ...fact, id: String(this.entries.length + 1), at });
  }

  async after(_tx: Tx, cursor: string, most: number): Promise<AuditEntry[]> {
    return this.entries.filter((e) => BigInt(e.id) > BigInt(cursor)).slice(0, most);
  }
}
