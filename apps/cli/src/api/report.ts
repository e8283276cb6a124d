import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { request } from 'undici';
import { BongsuError, RUNGS } from '@app/protocol';
import type { HubApi } from './hub-api.js';

/** A table as published: null = suppressed. */
interface Table {
  rows: string[];
  cells: (number | null)[][];
  rowTotals: (number | null)[];
  columnTotals: (number | null)[];
  total: number | null;
}

export interface ReportBody {
  period: string;
  closed: boolean;
  standardVersion: string;
  suppressBelow: number;
  issued: Table;
  stages: { stage: string; table: Table }[];
  cells: number;
  suppressed: number;
}

/**
 * Fetches a month's report and proves that it is what the hub signed.
 * @throws {BongsuError} BAD_INPUT when the signature does not fit
 */
export async function fetchReport(api: HubApi, hubUrl: string, period: string): Promise<ReportBody> {
  const { report } = await api.query<{ report: { body: ReportBody; signature: string } }>(
    'query ($period: String!) { report(period: $period) { body signature } }',
    { period },
  );
  const answer = await request(`${hubUrl}/.well-known/jwks.json`);
  const jwks = (await answer.body.json()) as JSONWebKeySet;
  try {
    const { payload } = await compactVerify(report.signature, createLocalJWKSet(jwks));
    return JSON.parse(Buffer.from(payload).toString('utf8')) as ReportBody;
  } catch {
    throw new BongsuError(
      'BAD_INPUT',
      'The signature does not fit the report: do not use it, tell the alliance.',
      'signature',
    );
  }
}

/** The report as a person reads it. Suppressed figures are dots. */
export function formatReport(report: ReportBody): string {
  const { period, closed, standardVersion, suppressBelow } = report;
  return [
    `Report of ${period} (${closed ? 'closed' : 'month still open: figures may rise'}), under standard ${standardVersion}`,
    '',
    ...formatTable('Recommendations issued', report.issued),
    ...report.stages.flatMap(({ stage, table }) => formatTable(`of these ${stage}`, table)),
    `${report.suppressed} of ${report.cells} figures are suppressed (·): counts below ${suppressBelow}, and those that would give them away.`,
  ].join('\n');
}

function formatTable(title: string, table: Table): string[] {
  const cell = (value: number | null | undefined) => String(value ?? '·').padStart(9);
  const line = (name: string, values: readonly (number | null)[]) => `  ${name.padEnd(14)}${values.map(cell).join('')}`;
  return [
    `${title}:`,
    `  ${''.padEnd(14)}${[...RUNGS, 'all'].map((name) => name.padStart(9)).join('')}`,
    ...table.rows.map((name, r) => line(name, [...table.cells[r]!, table.rowTotals[r] ?? null])),
    line('all', [...table.columnTotals, table.total]),
    '',
  ];
}
