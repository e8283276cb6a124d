import type { Share } from './statistics.js';
import type { Scores } from './types.js';

/** The scores as text for people: figures beside goals, then segments, then baselines. */
export function formatTable(scores: Scores): string {
  const { lent, keys, unscored, populations } = scores;
  return [
    `${populations.length} population${populations.length === 1 ? '' : 's'}, ${keys} keys, ${lent} lent` +
      (unscored > 0 ? `, ${unscored} left out (invented by a lying exchange)` : ''),
    '',
    ...columns(
      ['figure', 'value', '95% interval', 'goal', 'met', 'basis'],
      scores.figures.map(({ figure, value, interval, goal, met, basis }) => [
        figure,
        number(value, 4),
        interval ? `${number(interval[0], 4)} to ${number(interval[1], 4)}` : '',
        goal,
        met === null ? '–' : met ? 'yes' : 'NO',
        basis,
      ]),
    ),
    '',
    ...columns(
      ['segment', 'keys', 'lent', 'monitor+', 'warn+', 'reverify+', 'expire', 'days'],
      scores.segments.map((segment) => [
        segment.segment,
        String(segment.keys),
        String(segment.lent),
        rate(segment.monitor),
        rate(segment.warn),
        rate(segment.reverify),
        rate(segment.expire),
        segment.lent > 0 ? number(segment.days, 1) : '',
      ]),
    ),
    ...(scores.baselines.length === 0
      ? []
      : [
          '',
          `Baselines, matched on the precision of the top two rungs (${number(scores.matched_precision, 3)}); the hub's recall there: ${rate(scores.recall.reverify)}`,
          ...columns(
            ['baseline', 'best precision', 'its recall', 'recall at that precision'],
            scores.baselines.map(({ name, best, matched }) => [
              name,
              best ? `${number(best.precision, 3)} (≥ ${best.threshold})` : '–',
              best ? number(best.recall, 3) : '–',
              matched ? `${number(matched.recall, 3)} (≥ ${matched.threshold})` : 'never reached',
            ]),
          ),
        ]),
    '',
  ].join('\n');
}

function number(value: number | null, digits: number): string {
  return value === null ? '–' : String(Number(value.toFixed(digits)));
}

function rate({ share }: Share): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)}%`;
}

/** Left-aligned first column and last, the others to the right. */
function columns(head: string[], rows: string[][]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const wordy = (column: number) => column === 0 || head[column] === 'basis';
  return all.map((row) =>
    row
      .map((cell, column) => (wordy(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
