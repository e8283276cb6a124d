import type { Tx } from '@app/infrastructure/database';
import { UsedAssertionRepository } from './used-assertion.repository.js';

export class FakeUsedAssertionRepository extends UsedAssertionRepository {
  private rows: { clientId: string; jti: string; expiresAt: Date }[] = [];

  get size(): number {
    return this.rows.length;
  }

  async use(_tx: Tx, clientId: string, jti: string, expiresAt: Date, now: Date): Promise<boolean> {
    this.rows = this.rows.filter((row) => row.clientId !== clientId || row.expiresAt >= now);
    if (this.rows.some((row) => row.clientId === clientId && row.jti === jti)) return false;
    this.rows.push({ clientId, jti, expiresAt });
    return true;
  }
}
