/** A table of counts as published: null = suppressed. Totals, where not null, are true. */
export interface SuppressedTable {
  rows: string[];
  columns: string[];
  cells: (number | null)[][];
  rowTotals: (number | null)[];
  columnTotals: (number | null)[];
  total: number | null;
  suppressed: number;
}

/**
 * Suppresses counts of one to `below` − 1 (zero says nothing of a person), then further cells until no suppressed one
 * follows from totals: in each row and column that has one there are at least two, and where a line has no second cell
 * to give, its total goes too. Smallest cells are given first.
 *
 * Several tables over the same rows and columns are suppressed together: what one hides, all hide, because stages of
 * one thing give each other away (issued − executed = declined).
 * @param counts one matrix a table
 * @param below least count that may be published
 */
export function suppress(
  rows: string[],
  columns: string[],
  counts: readonly (readonly (readonly number[])[])[],
  below: number,
): SuppressedTable[] {
  const tables = counts.map((table) => withTotals(table, columns.length));
  const hidden = [...rows, 'all'].map((_, r) =>
    [...columns, 'all'].map((_, c) => tables.some((table) => table[r]![c]! > 0 && table[r]![c]! < below)),
  );
  while (tables.some((table) => giveOneMore(table, hidden)));
  return tables.map((table) => publish(rows, columns, table, hidden));
}

/** Totals are one more row and one more column, so that hiding a total is the same step as hiding a cell. */
function withTotals(counts: readonly (readonly number[])[], width: number): number[][] {
  const full = counts.map((row) => [...row, sum(row)]);
  const columnTotals = Array.from({ length: width }, (_, c) => sum(counts.map((row) => row[c] ?? 0)));
  return [...full, [...columnTotals, sum(columnTotals)]];
}

/** Hides one more cell in the first line in which a single hidden cell follows from the rest. @returns whether one was */
function giveOneMore(counts: number[][], hidden: boolean[][]): boolean {
  const height = counts.length;
  const width = counts[0]?.length ?? 0;
  const lines = [
    ...Array.from({ length: height }, (_, r) => Array.from({ length: width }, (_, c) => [r, c] as const)),
    ...Array.from({ length: width }, (_, c) => Array.from({ length: height }, (_, r) => [r, c] as const)),
  ];
  for (const line of lines) {
    if (line.filter(([r, c]) => hidden[r]![c]).length !== 1) continue;
    const open = line.filter(([r, c]) => !hidden[r]![c]);
    // Inner cells before totals, then the smallest that is not zero: hiding a zero would hide nothing.
    const isTotal = ([r, c]: readonly [number, number]) => r === height - 1 || c === width - 1;
    const [choice] = open
      .filter(([r, c]) => counts[r]![c]! > 0)
      .sort((a, b) => Number(isTotal(a)) - Number(isTotal(b)) || counts[a[0]]![a[1]]! - counts[b[0]]![b[1]]!);
    if (!choice) continue;
    hidden[choice[0]]![choice[1]] = true;
    return true;
  }
  return false;
}

function publish(rows: string[], columns: string[], counts: number[][], hidden: boolean[][]): SuppressedTable {
  const shown = counts.map((row, r) => row.map((count, c) => (hidden[r]![c] ? null : count)));
  const width = columns.length;
  return {
    rows,
    columns,
    cells: shown.slice(0, -1).map((row) => row.slice(0, width)),
    rowTotals: shown.slice(0, -1).map((row) => row[width]!),
    columnTotals: shown.at(-1)!.slice(0, width),
    total: shown.at(-1)![width]!,
    suppressed: hidden.flat().filter(Boolean).length,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
