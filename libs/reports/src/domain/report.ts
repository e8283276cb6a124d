import { RUNGS } from '@app/protocol';
import { suppress, type SuppressedTable } from './suppression.js';

/** Counts of one member and rung in a period: how many recommendations ever reached each stage. */
export interface StageCounts {
  member: string;
  /** 1 to 4 up the ladder. */
  rung: number;
  issued: number;
  delivered: number;
  acknowledged: number;
  executed: number;
  declined: number;
}

/** A month's aggregated report: no key, no address, no person. */
export interface Report {
  /** `YYYY-MM`, Asia/Seoul. */
  period: string;
  /** False while the month runs: figures may still rise. */
  closed: boolean;
  standardVersion: string;
  suppressBelow: number;
  /** Recommendations issued, by exchange and rung. */
  issued: SuppressedTable;
  /** Recommendations by what became of them and rung. A stage contains the later ones. */
  stages: { stage: string; table: SuppressedTable }[];
  /** Published figures, totals included; and how many of them are suppressed. */
  cells: number;
  suppressed: number;
}

const STAGES = ['delivered', 'acknowledged', 'executed', 'declined'] as const;

/** The report over some counts. `members`: all that take part, also those without a recommendation. */
export function makeReport(
  period: string,
  closed: boolean,
  standardVersion: string,
  suppressBelow: number,
  members: readonly string[],
  counts: readonly StageCounts[],
): Report {
  const exchanges = [...members].sort();
  const countsOf = (stage: (typeof STAGES)[number] | 'issued') =>
    exchanges.map((member) =>
      RUNGS.map((_, i) => counts.find((row) => row.member === member && row.rung === i + 1)?.[stage] ?? 0),
    );
  const tables = suppress(exchanges, [...RUNGS], ['issued' as const, ...STAGES].map(countsOf), suppressBelow);
  const [issued] = tables as [SuppressedTable];
  const stages = STAGES.map((stage, i) => ({ stage, table: tables[i + 1]! }));
  return {
    period,
    closed,
    standardVersion,
    suppressBelow,
    issued,
    stages,
    cells: tables.length * (exchanges.length + 1) * (RUNGS.length + 1),
    suppressed: tables.reduce((total, table) => total + table.suppressed, 0),
  };
}
