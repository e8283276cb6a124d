import { Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import type { Tx } from '@app/infrastructure/database';
import { AuditRepository, type AuditEntry, type AuditFact } from '../audit.repository.js';
import { AuditEntryEntity } from './audit-entry.entity.js';

@Injectable()
export class AuditAdapter extends AuditRepository {
  async append(tx: Tx, fact: Required<AuditFact>, at: Date): Promise<void> {
    // No RETURNING: who writes a row may not read the log.
    await tx.query(`INSERT INTO audit_log (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)`, [
      at,
      fact.actor,
      fact.action,
      fact.subject,
      JSON.stringify(fact.detail),
    ]);
  }

  async after(tx: Tx, cursor: string, most: number): Promise<AuditEntry[]> {
    const rows = await tx.find(AuditEntryEntity, {
      where: { id: MoreThan(cursor) },
      order: { id: 'ASC' },
      take: most,
    });
    return rows.map(({ id, at, actor, action, subject, detail }) => ({ id, at, actor, action, subject, detail }));
  }
}
