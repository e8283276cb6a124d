import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Principal, type Tx } from '@app/infrastructure/database';
import { BongsuError, checkListName, MAX_WARNING_LISTS } from '@app/protocol';
import { checkWarningList, type NewWarningList, type WarningList } from './domain/warning-list.js';

/** Everything of a list but its entries. `bigint` arrives as text; a cursor fits a double. */
const COLUMNS = `name, version, cursor::float8 AS cursor, source, description, cardinality(entries) AS "entryCount",
  expires_at AS "expiresAt", updated_at AS "updatedAt", ended_at AS "endedAt"`;

/** The alliance's warning lists: staff put them in and end them, members follow their changes. */
@Injectable()
export class WarningLists {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Publishes a list, or replaces the one of its name.
   * @param by a staff principal
   * @throws {BongsuError} LIST_NAME_INVALID; BAD_INPUT with the argument concerned, or for a list too many
   */
  put(by: Principal, input: NewWarningList): Promise<WarningList> {
    const now = new Date(this.clock.now());
    const list = checkWarningList(input, now.getTime());
    const hash = createHash('sha256').update(list.entries.join('\n')).digest('hex');
    return this.change(by, list.name, async (tx, before) => {
      const [{ others }] = (await tx.query<[{ others: number }]>(
        'SELECT count(*)::int AS others FROM warning_lists WHERE name <> $1 AND ended_at IS NULL AND expires_at > $2',
        [list.name, now],
      )) as [{ others: number }];
      if (others >= MAX_WARNING_LISTS)
        throw new BongsuError(
          'BAD_INPUT',
          `At most ${MAX_WARNING_LISTS} lists stand at a time; end one first.`,
          'name',
        );
      const { name, source, description, entries, expiresAt } = list;
      const values = [name, source, description, entries, hash, expiresAt, now];
      await tx.query(
        before
          ? `UPDATE warning_lists SET (version, cursor, source, description, entries, content_hash, expires_at, updated_at, ended_at)
               = (version + 1, ${NEXT_CURSOR}, $2, $3, $4::cidr[], $5, $6, $7, NULL) WHERE name = $1`
          : `INSERT INTO warning_lists (name, version, cursor, source, description, entries, content_hash, expires_at, updated_at)
               VALUES ($1, 1, ${NEXT_CURSOR}, $2, $3, $4::cidr[], $5, $6, $7)`,
        values,
      );
      return { action: 'warning_list.put', detail: {} };
    });
  }

  /**
   * Ends a list: it no longer labels anything. Again is fine.
   * @throws {BongsuError} NOT_FOUND
   */
  end(by: Principal, name: string, reason: string): Promise<WarningList> {
    const now = new Date(this.clock.now());
    return this.change(by, checkListName(name), async (tx, before) => {
      if (!before) throw new BongsuError('NOT_FOUND', 'No such warning list.', 'name');
      if (before.endedAt !== null) return null;
      await tx.query(
        `UPDATE warning_lists SET (version, cursor, entries, content_hash, updated_at, ended_at)
           = (version + 1, ${NEXT_CURSOR}, '{}', '', $2, $2) WHERE name = $1`,
        [name, now],
      );
      return { action: 'warning_list.ended', detail: { reason: reason.slice(0, 500) } };
    });
  }

  /**
   * Lists changed after a cursor, ended ones too, in the order of their last change.
   * @param after 0 for all
   * @throws {BongsuError} BAD_INPUT for a cursor that no change has had: whoever holds one starts again from 0
   */
  changes(by: Principal, after: number, most: number): Promise<WarningList[]> {
    return this.database.transaction(by, async (tx) => {
      const found = await tx.query<WarningList[]>(
        `SELECT ${COLUMNS} FROM warning_lists WHERE cursor > $1 ORDER BY cursor LIMIT $2`,
        [after, most],
      );
      // A hub that was restored from an older copy would otherwise answer "nothing new" until it has caught up.
      if (found.length === 0 && after > 0 && !(await reached(tx, after)))
        throw new BongsuError(
          'BAD_INPUT',
          'No change of the lists has had this cursor; start again without one.',
          'after',
        );
      return found;
    });
  }

  /**
   * A version's entries, canonical and sorted.
   * @throws {BongsuError} UNAVAILABLE when the list has changed meanwhile
   */
  entries(by: Principal, { name, version }: Pick<WarningList, 'name' | 'version'>): Promise<string[]> {
    return this.database.transaction(by, async (tx) => {
      const [row] = await tx.query<{ entries: string[] }[]>(
        'SELECT entries::text[] AS entries FROM warning_lists WHERE name = $1 AND version = $2',
        [name, version],
      );
      if (!row) throw new BongsuError('UNAVAILABLE', 'The list has just changed; ask again.', 'entries');
      return row.entries;
    });
  }

  /**
   * One change at a time, with its row in the audit.
   * @param work answers what to record; null where nothing changed
   */
  private change(
    by: Principal,
    name: string,
    work: (tx: Tx, before: WarningList | null) => Promise<{ action: string; detail: Record<string, unknown> } | null>,
  ): Promise<WarningList> {
    return this.database.transaction(by, async (tx) => {
      // Cursors are given out in the order of commits only where one change waits for the other.
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('bongsu:warning-lists'))`);
      const before = await find(tx, name);
      const done = await work(tx, before);
      const after = (await find(tx, name))!;
      if (done !== null)
        await this.audit.record(tx, {
          actor: principalName(by),
          action: done.action,
          subject: `warning_list:${name}`,
          before: before && facts(before),
          after: facts(after),
          detail: done.detail,
        });
      return withoutHash(after);
    });
  }
}

const NEXT_CURSOR = '(SELECT coalesce(max(cursor), 0) + 1 FROM warning_lists)';

type Row = WarningList & { contentHash: string };

async function find(tx: Tx, name: string): Promise<Row | null> {
  const rows = await tx.query<Row[]>(
    `SELECT ${COLUMNS}, content_hash AS "contentHash" FROM warning_lists WHERE name = $1`,
    [name],
  );
  return rows[0] ?? null;
}

async function reached(tx: Tx, cursor: number): Promise<boolean> {
  return (await tx.query<unknown[]>('SELECT 1 FROM warning_lists WHERE cursor >= $1 LIMIT 1', [cursor])).length > 0;
}

/** What the audit keeps of a list: entries by their number and SHA-256. */
function facts({
  version,
  source,
  description,
  entryCount,
  contentHash,
  expiresAt,
  endedAt,
}: Row): Record<string, unknown> {
  return { version, source, description, entryCount, contentHash, expiresAt, endedAt };
}

function withoutHash({ contentHash: _, ...list }: Row): WarningList {
  return list;
}
