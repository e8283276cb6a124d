import type { Tx } from '@app/infrastructure/database';
import { UsedAssertionRepository } from './used-assertion.repository.js';

export class FakeUsedAssertionRepository extends UsedAssertionRepository {
  private rows: { clientId: string; id: string; expiresAt: Date }[] = [];

  get size(): number {
    return this.rows.length;
  }

  async use(_tx: Tx, clientId: string, id: string, expiresAt: Date): Promise<boolean> {
    if (this.rows.some((row) => row.clientId === clientId && row.id === id)) return false;
    this.rows.push({ clientId, id, expiresAt });
    return true;
  }

  async purge(_tx: Tx, now: Date): Promise<void> {
    this.rows = this.rows.filter((row) => row.expiresAt >= now);
  }
}
