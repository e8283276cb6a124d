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

/** What staff watch: how far recommendations come. */
@Injectable()
export class RecommendationFlow {
  constructor(private readonly database: Database) {}

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
