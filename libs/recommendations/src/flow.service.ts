import { Injectable } from '@nestjs/common';
import { Database, type Principal } from '@app/infrastructure/database';
import { RUNGS, type Rung } from '@app/protocol';

/** How many recommendations to a rung ever reached each stage. */
export interface Flow {
  rung: Rung;
  issued: number;
  delivered: number;
  acknowledged: number;
  executed: number;
  declined: number;
}

/** Recommendations in one state. */
export interface StateCount {
  rung: Rung;
  state: string;
  count: number;
}

/** Events that a member has not taken. */
export interface Undelivered {
  member: string;
  pending: number;
  dead: number;
  /** When the oldest that waits was issued; null where none does. */
  oldestAt: Date | null;
}

/** Longest time that counting for metrics may take, ms. */
const COUNTING_MS = 3000;

/** What staff watch: how far recommendations come. */
@Injectable()
export class RecommendationFlow {
  constructor(private readonly database: Database) {}

  /** Recommendations by rung and state. @throws where counting takes too long */
  byState(principal: Principal): Promise<StateCount[]> {
    return this.database.transaction(principal, async (tx) => {
      await tx.query(`SELECT set_config('statement_timeout', $1, true)`, [String(COUNTING_MS)]);
      const rows = await tx.query<{ rung: number; state: string; count: number }[]>(
        'SELECT rung, state, count(*)::int AS count FROM recommendations GROUP BY rung, state',
      );
      return rows.map(({ rung, state, count }) => ({ rung: RUNGS[rung - 1] ?? 'monitor', state, count }));
    });
  }

  /** What each member has not taken; every member has a row. @throws where counting takes too long */
  undelivered(principal: Principal): Promise<Undelivered[]> {
    return this.database.transaction(principal, async (tx) => {
      await tx.query(`SELECT set_config('statement_timeout', $1, true)`, [String(COUNTING_MS)]);
      return tx.query<Undelivered[]>(
        `SELECT m.name AS member, count(d.id) FILTER (WHERE d.state = 'pending')::int AS pending,
           count(d.id) FILTER (WHERE d.state = 'dead')::int AS dead,
           min(r.issued_at) FILTER (WHERE d.state = 'pending') AS "oldestAt"
         FROM members m LEFT JOIN deliveries d ON d.member_id = m.id AND d.state <> 'acknowledged'
           LEFT JOIN recommendations r ON r.id = d.recommendation_id
         GROUP BY m.name`,
      );
    });
  }

  /** Of all recommendations that the principal may see; every rung has a row. */
  byRung(principal: Principal): Promise<Flow[]> {
    return this.database.transaction(principal, async (tx) => {
      const rows = await tx.query<(Omit<Flow, 'rung'> & { rung: number })[]>(
        `SELECT rung, count(*)::int AS issued, count(delivered_at)::int AS delivered, count(acknowledged_at)::int AS acknowledged,
           count(executed_at)::int AS executed, count(declined_at)::int AS declined FROM recommendations GROUP BY rung`,
      );
      const none = { issued: 0, delivered: 0, acknowledged: 0, executed: 0, declined: 0 };
      return RUNGS.map((rung, i) => ({ ...none, ...rows.find((row) => row.rung === i + 1), rung }));
    });
  }
}
