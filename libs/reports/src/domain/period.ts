import { BongsuError } from '@app/protocol';

/** Months are those of Asia/Seoul: UTC+9 all year round. */
const SEOUL_MS = 9 * 3_600_000;

/** The month, `YYYY-MM`, that a time (ms since 1970) lies in. */
export function periodOf(ms: number): string {
  return new Date(ms + SEOUL_MS).toISOString().slice(0, 7);
}

/** First and last-but-one instant of a month. @throws {BongsuError} BAD_INPUT */
export function boundsOf(period: string): { from: Date; to: Date } {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(period);
  if (!match) throw new BongsuError('BAD_INPUT', 'A period is a month, as 2026-06.', 'period');
  const [year, month] = [Number(match[1]), Number(match[2])];
  return { from: new Date(Date.UTC(year, month - 1) - SEOUL_MS), to: new Date(Date.UTC(year, month) - SEOUL_MS) };
}
