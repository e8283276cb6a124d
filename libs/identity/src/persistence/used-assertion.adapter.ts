import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import type { Tx } from '@app/infrastructure/database';
import { UsedAssertionRepository } from '../used-assertion.repository.js';
import { UsedAssertionEntity } from './entities.js';

@Injectable()
export class UsedAssertionAdapter extends UsedAssertionRepository {
  async use(tx: Tx, clientId: string, id: string, expiresAt: Date): Promise<boolean> {
    // On the way of every request: plain SQL, one statement.
    const rows = await tx.query<unknown[]>(
      `INSERT INTO used_assertions (client_id, jti, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1`,
      [clientId, id, expiresAt],
    );
    return rows.length === 1;
  }

  async purge(tx: Tx, now: Date): Promise<void> {
    await tx.delete(UsedAssertionEntity, { expiresAt: LessThan(now) });
  }
}
