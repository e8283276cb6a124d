import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/infrastructure/database';
import { BongsuError } from '@app/protocol';
import { AuditRepository, type AuditEntry, type AuditFilter, type AuditRow } from '../audit.repository.js';
import { AuditEntryEntity } from './audit-entry.entity.js';

const CURSOR = /^(\d{1,19})\.(\d{1,18})$/;

@Injectable()
export class AuditAdapter extends AuditRepository {
  async append(tx: Tx, row: AuditRow): Promise<void> {
    // No RETURNING: who writes a row may not read the log.
    await tx.query(
      `INSERT INTO audit_log (at, actor, action, subject, from_address, request_id, before, after, detail)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        row.at,
        row.actor,
        row.action,
        row.subject,
        row.from,
        row.requestId,
        jsonOrNull(row.before),
        jsonOrNull(row.after),
        JSON.stringify(row.detail),
      ],
    );
  }

  async after(tx: Tx, cursor: string, most: number, filter: AuditFilter): Promise<AuditEntry[]> {
    const [xact, id] = place(cursor);
    const rows = tx
      .createQueryBuilder(AuditEntryEntity, 'e')
      .where(
        'e.xact < pg_snapshot_xmin(pg_current_snapshot()) AND (e.xact, e.id) > (CAST(:xact AS xid8), CAST(:id AS bigint))',
        {
          xact,
          id,
        },
      );
    if (filter.actor !== undefined) rows.andWhere('e.actor = :actor', { actor: filter.actor });
    if (filter.action?.endsWith('.')) rows.andWhere('starts_with(e.action, :beginning)', { beginning: filter.action });
    else if (filter.action !== undefined) rows.andWhere('e.action = :action', { action: filter.action });
    if (filter.subject !== undefined) rows.andWhere('e.subject = :subject', { subject: filter.subject });
    if (filter.since) rows.andWhere('e.at >= :since', { since: filter.since });
    if (filter.until) rows.andWhere('e.at < :until', { until: filter.until });
    const found = await rows.orderBy('e.xact').addOrderBy('e.id').limit(most).getMany();
    return found.map(({ xact, id, ...row }) => ({ ...row, cursor: `${xact}.${id}` }));
  }
}

/** @throws {BongsuError} BAD_INPUT */
function place(cursor: string): [string, string] {
  if (cursor === '') return ['0', '0'];
  const parts = CURSOR.exec(cursor);
  if (!parts) throw new BongsuError('BAD_INPUT', 'Not a cursor of this list.', 'after');
  return [parts[1]!, parts[2]!];
}

function jsonOrNull(value: object | null): string | null {
  return value && JSON.stringify(value);
}
