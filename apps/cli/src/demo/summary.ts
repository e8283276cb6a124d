import { RUNGS, type Rung } from '@app/protocol';

/** What `npm run demo -- --json FILE` writes (docs/formats.md). */
export interface DemoSummary {
  seconds: number;
  members: number;
  observations: number;
  accepted: number;
  rejected: number;
  keys: number;
  keys_lent: number;
  /** How many ever reached each stage. */
  recommendations: { issued: number; delivered: number; acknowledged: number; executed: number; declined: number };
  by_rung: Record<Rung, number>;
  report: { period: string; cells: number; suppressed: number };
}

/** What the demonstration must have shown; a word for each thing that it did not. */
export function shortfalls(s: DemoSummary): string[] {
  const least = (what: string, value: number, wanted: number) =>
    value >= wanted ? [] : [`${what}: ${value}, wanted at least ${wanted}`];
  return [
    ...least('members', s.members, 5),
    ...least('observations', s.observations, 20_000),
    ...least('keys', s.keys, 500),
    ...least('lent keys', s.keys_lent, 20),
    ...least('executed recommendations', s.recommendations.executed, 10),
    ...RUNGS.flatMap((rung) => least(`recommendations to ${rung}`, s.by_rung[rung], 1)),
    ...least('figures in the report', s.report.cells, 1),
    ...(s.recommendations.delivered < s.recommendations.issued
      ? [`${s.recommendations.issued - s.recommendations.delivered} recommendations were not delivered`]
      : []),
  ];
}

export function formatSummary(s: DemoSummary): string {
  const r = s.recommendations;
  return [
    `${s.members} exchanges, ${s.keys} keys (${s.keys_lent} of them lent), lived through in ${s.seconds.toFixed(0)} s`,
    `  rows           ${s.accepted} accepted, ${s.rejected} rejected; ${s.observations} observations`,
    `  recommended    ${RUNGS.map((rung) => `${rung} ${s.by_rung[rung]}`).join(', ')}`,
    `  came back      ${r.issued} issued, ${r.delivered} delivered, ${r.acknowledged} acknowledged, ${r.executed} executed, ${r.declined} declined`,
  ].join('\n');
}
