import { Injectable } from '@nestjs/common';
import type { Assessment } from '@app/correlation';
import { Database, type Principal } from '@app/infrastructure/database';
import { RUNGS, shortToken, type RungOrNone } from '@app/protocol';

/** Where one key stands, as staff may see it: its token in short form. */
export interface Standing {
  /** Monotonic position for paging. */
  cursor: number;
  member: string;
  keyShort: string;
  probability: number;
  rung: RungOrNone;
  assessedAt: Date;
  reasons: string[];
  history: { at: Date; rung: RungOrNone }[];
}

/** How much of the way is still to go: zero everywhere means that all that was accepted has been assessed and delivered. */
export interface Backlog {
  batchesToFold: number;
  keysToAssess: number;
  outcomesToApply: number;
  deliveriesPending: number;
}

/** What waits, and since when the oldest of it: for those who watch. */
export interface Waiting {
  batchesToFold: number;
  /** When the oldest of them was received; null where none waits. */
  oldestBatchAt: Date | null;
  /** Counted up to {@link MOST_COUNTED}, touched days and keys together. */
  keysToAssess: number;
  /** How long the oldest key has waited, in the database's own time; seconds, 0 where none does. */
  oldestKeySeconds: number;
}

/** What waits is counted so far: a metric must not cost more the worse things are. */
const MOST_COUNTED = 100_000;
/** Longest time that counting may take, ms. */
const COUNTING_MS = 3000;

const rungOf = (rank: number): RungOrNone => RUNGS[rank - 1] ?? 'none';
const timeOf = (seconds: number | string) => new Date(Number(seconds) * 1000);

/** What staff oversee: every key's standing, and what waits. */
@Injectable()
export class Standings {
  constructor(private readonly database: Database) {}

  /** Standings of keys after a cursor, in the order of their keys. */
  list(principal: Principal, after: number, first: number): Promise<Standing[]> {
    return this.database.transaction(principal, async (tx) => {
      type Row = {
        key_id: number;
        member: string;
        token: Buffer;
        probability: number;
        rung: number;
        assessed_at: string;
        assessment: Assessment;
        history: [number, number][] | null;
      };
      const rows = await tx.query<Row[]>(
        `SELECT s.key_id, m.name AS member, t.token, s.probability, s.rung, s.assessed_at, s.assessment,
           (SELECT json_agg(json_build_array(c.at, c.rung) ORDER BY c.id) FROM rung_changes c WHERE c.key_id = s.key_id) AS history
         FROM key_states s JOIN members m ON m.id = s.member_id JOIN tokens t ON t.id = s.key_id
         WHERE s.key_id > $1 ORDER BY s.key_id LIMIT $2`,
        [after, first],
      );
      return rows.map((row) => ({
        cursor: row.key_id,
        member: row.member,
        keyShort: shortToken(row.token),
        probability: row.probability,
        rung: rungOf(row.rung),
        assessedAt: timeOf(row.assessed_at),
        reasons: row.assessment.findings.map((f) => f.code),
        history: (row.history ?? []).map(([at, rung]) => ({ at: timeOf(at), rung: rungOf(rung) })),
      }));
    });
  }

  /** Cheap enough to be asked every few seconds. @throws where counting takes too long */
  waiting(principal: Principal): Promise<Waiting> {
    return this.database.transaction(principal, async (tx) => {
      await tx.query(`SELECT set_config('statement_timeout', $1, true)`, [String(COUNTING_MS)]);
      const [row] = await tx.query<Record<string, string | Date | null>[]>(
        `SELECT
           (SELECT count(*) FROM (SELECT 1 FROM batches WHERE state IN ('stored', 'withdrawing') LIMIT $1) b) AS batches,
           (SELECT received_at FROM batches WHERE state IN ('stored', 'withdrawing') ORDER BY id LIMIT 1) AS oldest_batch,
           (SELECT count(*) FROM (SELECT 1 FROM touched LIMIT $1) t) + (SELECT count(*) FROM (SELECT 1 FROM to_assess LIMIT $1) a) AS keys,
           coalesce(extract(epoch FROM now() - (SELECT min(queued_at) FROM (SELECT queued_at FROM to_assess LIMIT $1) q)), 0) AS oldest_key`,
        [MOST_COUNTED],
      );
      return {
        batchesToFold: Number(row?.['batches'] ?? 0),
        oldestBatchAt: (row?.['oldest_batch'] as Date | null) ?? null,
        keysToAssess: Number(row?.['keys'] ?? 0),
        oldestKeySeconds: Math.max(0, Number(row?.['oldest_key'] ?? 0)),
      };
    });
  }

  backlog(principal: Principal): Promise<Backlog> {
    return this.database.transaction(principal, async (tx) => {
      const [row] = await tx.query<Record<string, string>[]>(
        `SELECT (SELECT count(*) FROM batches WHERE state IN ('stored', 'withdrawing')) AS batches,
           (SELECT count(*) FROM touched) + (SELECT count(*) FROM to_assess) AS keys,
           (SELECT count(*) FROM outcomes WHERE NOT applied) AS outcomes,
           (SELECT count(*) FROM deliveries WHERE state = 'pending') AS deliveries`,
      );
      const count = (name: string) => Number(row?.[name] ?? 0);
      return {
        batchesToFold: count('batches'),
        keysToAssess: count('keys'),
        outcomesToApply: count('outcomes'),
        deliveriesPending: count('deliveries'),
      };
    });
  }
}
