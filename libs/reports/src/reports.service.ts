import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Principal, type Tx } from '@app/infrastructure/database';
import { SigningKeys } from '@app/keys';
import { Standards } from '@app/standard';
import { boundsOf, periodOf } from './domain/period.js';
import { makeReport, type Report, type StageCounts } from './domain/report.js';

/** A report with the JWS over it, so that its reader can prove that nothing was altered. */
export interface SignedReport {
  report: Report;
  signature: string;
}

const JOB = { kind: 'job', name: 'report' } as const;
/** A month is closed this long after its end: late outcomes are in by then. */
const CLOSE_AFTER_MS = 24 * 3_600_000;
const REPORT_TYPE = 'bongsu-report+jwt';

/** Aggregates for regulators. The tables behind them are read by a function that returns counts and nothing else. */
@Injectable()
export class Reports {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: SigningKeys,
    private readonly standards: Standards,
    private readonly audit: AuditLog,
  ) {}

  /**
   * A month's report: as it was closed, or, while it is open, as it stands.
   * @throws {BongsuError} BAD_INPUT
   */
  async report(principal: Principal, period: string): Promise<SignedReport> {
    const open = await this.database.transaction(principal, async (tx) => {
      const [closed] = await tx.query<{ body: Report; signature: string }[]>(
        'SELECT body, signature FROM reports WHERE period = $1',
        [period],
      );
      return closed ?? this.count(tx, period, false);
    });
    return 'body' in open ? { report: open.body, signature: open.signature } : this.sign(open);
  }

  /** Months that are closed, newest first. */
  periods(principal: Principal): Promise<string[]> {
    return this.database.transaction(principal, async (tx) => {
      const rows = await tx.query<{ period: string }[]>('SELECT period FROM reports ORDER BY period DESC');
      return rows.map((row) => row.period);
    });
  }

  /** Closes every month that is over and has recommendations. Safe to repeat. @returns the months closed */
  async closeDue(): Promise<string[]> {
    const due = await this.database.transaction(JOB, async (tx) => {
      const rows = await tx.query<{ period: string }[]>(
        `SELECT DISTINCT to_char(issued_at AT TIME ZONE 'Asia/Seoul', 'YYYY-MM') AS period FROM recommendations
         WHERE issued_at < $1 EXCEPT SELECT period FROM reports`,
        [boundsOf(periodOf(this.clock.now() - CLOSE_AFTER_MS)).from],
      );
      return rows.map((row) => row.period);
    });
    for (const period of due) {
      const signed = await this.sign(await this.database.transaction(JOB, (tx) => this.count(tx, period, true)));
      await this.database.transaction(JOB, (tx) => this.close(tx, period, signed));
    }
    return due;
  }

  private async close(tx: Tx, period: string, { report, signature }: SignedReport): Promise<void> {
    const closed = await tx.query<unknown[]>(
      `INSERT INTO reports (period, body, signature, closed_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING RETURNING period`,
      [period, JSON.stringify(report), signature, new Date(this.clock.now())],
    );
    if (closed.length === 0) return;
    await this.audit.record(tx, {
      actor: principalName(JOB),
      action: 'report.closed',
      subject: `report:${period}`,
      after: { closed: true, sha256: createHash('sha256').update(signature).digest('hex') },
    });
  }

  private async count(tx: Tx, period: string, closed: boolean): Promise<Report> {
    const { from, to } = boundsOf(period);
    const { policy, version } = await this.standards.current(tx);
    const rows = await tx.query<StageCounts[]>('SELECT * FROM report_counts($1, $2)', [from, to]);
    const members = await tx.query<{ name: string }[]>('SELECT member_names() AS name');
    const { suppressBelow } = policy.reports;
    return makeReport(
      period,
      closed,
      version,
      suppressBelow,
      members.map((m) => m.name),
      rows,
    );
  }

  private async sign(report: Report): Promise<SignedReport> {
    return { report, signature: await this.keys.sign({ ...report }, REPORT_TYPE) };
  }
}
