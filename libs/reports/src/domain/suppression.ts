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
 * @param below least count that may be published
 */
export function suppress(
  rows: string[],
  columns: string[],
  counts: readonly (readonly number[])[],
  below: number,
): SuppressedTable {
  // Totals are one more row and one more column, so that hiding a total is the same step as hiding a cell.
  const full = counts.map((row) => [...row, sum(row)]);
  full.push([...columns.map((_, c) => sum(counts.map((row) => row[c] ?? 0))), sum(counts.map(sum))]);
  const hidden = full.map((row) => row.map((count) => count > 0 && count < below));
  while (giveOneMore(full, hidden));
  const shown = full.map((row, r) => row.map((count, c) => (hidden[r]![c] ? null : count)));
  const lastColumn = columns.length;
  return {
    rows,
    columns,
    cells: shown.slice(0, -1).map((row) => row.slice(0, -1)),
    rowTotals: shown.slice(0, -1).map((row) => row[lastColumn]!),
    columnTotals: shown.at(-1)!.slice(0, -1),
    total: shown.at(-1)![lastColumn]!,
    suppressed: hidden.flat().filter(Boolean).length,
  };
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
