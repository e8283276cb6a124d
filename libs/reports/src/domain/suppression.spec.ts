import fc from 'fast-check';
import { suppress, type SuppressedTable } from './suppression.js';

const tables = (counts: number[][][], below = 5) =>
  suppress(
    counts[0]!.map((_, r) => `r${r}`),
    (counts[0]![0] ?? []).map((_, c) => `c${c}`),
    counts,
    below,
  );
const table = (counts: number[][]) => tables([counts])[0]!;

const lines = (t: SuppressedTable): (number | null)[][] => {
  const rows = [...t.cells.map((row, r) => [...row, t.rowTotals[r]!]), [...t.columnTotals, t.total]];
  return [...rows, ...rows[0]!.map((_, c) => rows.map((row) => row[c]!))];
};

describe('suppress', () => {
  it('leaves a table without small counts as it is', () => {
    const t = table([
      [10, 0],
      [7, 5],
    ]);
    expect(t).toMatchObject({
      cells: [
        [10, 0],
        [7, 5],
      ],
      rowTotals: [10, 12],
      columnTotals: [17, 5],
      total: 22,
      suppressed: 0,
    });
  });

  it('hides a small count and enough others that totals do not give it away', () => {
    const t = table([
      [3, 20, 30],
      [40, 50, 60],
      [70, 80, 90],
    ]);
    expect(t.cells[0]![0]).toBeNull();
    expect(t.suppressed).toBe(4);
  });

  it('hides a total where a line has nothing else to give', () => {
    const t = table([[3], [0]]);
    expect(t.cells[0]![0]).toBeNull();
    expect(t.rowTotals[0]).toBeNull();
    expect(t.total).toBeNull();
  });

  it('hides in every table what one must hide: stages give each other away', () => {
    const [issued, declined] = tables([
      [
        [20, 30],
        [40, 50],
      ],
      [
        [2, 10],
        [10, 10],
      ],
    ]);
    expect(declined!.cells[0]![0]).toBeNull();
    expect(issued!.cells[0]![0]).toBeNull();
  });

  it('never leaves a hidden cell alone in a line, and hides every small one', () => {
    const counts = fc.integer({ min: 1, max: 4 }).chain((width) =>
      fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: width, maxLength: width }), {
        minLength: 1,
        maxLength: 5,
      }),
    );
    fc.assert(
      fc.property(counts, (rows) => {
        const t = table(rows);
        rows.forEach((row, r) => row.forEach((n, c) => n > 0 && n < 5 && expect(t.cells[r]![c]).toBeNull()));
        for (const line of lines(t)) expect(line.filter((cell) => cell === null).length).not.toBe(1);
      }),
    );
  });
});
