/** One side of a comparison: does its work once and says how much of it there was. */
export type Side = () => Promise<number> | number;

/** A ratio that is held against a goal; both sides run in the same process, in turns. */
export interface Bench {
  name: string;
  /** What the two figures are in, per second: `elements/s`. */
  unit: string;
  /** `ours / theirs` must reach this. */
  goal: number;
  /** Times that both sides run after one run each that does not count. */
  rounds: number;
  /** Brings both sides up; `close` takes down what they needed. */
  open(): Promise<{ ours: Side; theirs: Side; close?(): Promise<void> }>;
}

/** What is known of a ratio after its rounds; the form of `--json`. */
export interface BenchResult {
  name: string;
  ratio: number;
  goal: number;
  met: boolean;
  /** Median over the rounds. */
  ours: number;
  theirs: number;
  unit: string;
  rounds: number;
}

/**
 * Runs both sides in turns. The ratio is the median of each round's own ratio: what else the machine does in a round
 * bears on both.
 */
export async function measure(bench: Bench, onRound: (round: number) => void): Promise<BenchResult> {
  const { ours, theirs, close } = await bench.open();
  try {
    await perSecond(ours);
    await perSecond(theirs);
    const pairs: { ours: number; theirs: number }[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      onRound(round);
      // Who goes first changes, so that neither side always finds the caches warm.
      const first = round % 2 === 0 ? null : await perSecond(ours);
      const second = await perSecond(theirs);
      pairs.push({ ours: first ?? (await perSecond(ours)), theirs: second });
    }
    const ratio = median(pairs.map((pair) => pair.ours / pair.theirs));
    const { name, goal, unit, rounds } = bench;
    const [a, b] = [median(pairs.map((pair) => pair.ours)), median(pairs.map((pair) => pair.theirs))];
    return { name, ratio, goal, met: ratio >= goal, ours: a, theirs: b, unit, rounds };
  } finally {
    await close?.();
  }
}

async function perSecond(side: Side): Promise<number> {
  const from = process.hrtime.bigint();
  const amount = await side();
  return amount / (Number(process.hrtime.bigint() - from) / 1e9);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
