import { BongsuError, DoorError, type LegalBasis, type Purpose, type Tokenizer } from '@app/member-sdk';
import type { LineReason, RawRow } from '../input/rows.js';
import type { Source, Turn } from '../input/source.js';
import type { StateStore } from '../state/agent-state.js';
import type { PartFiles } from '../state/part-files.js';
import type { RefusedLines } from '../state/refused-lines.js';
import { Backoff } from './backoff.js';
import { BatchBuilder } from './batch-builder.js';
import { BadValue, RowBlinder } from './blind-rows.js';
import type { Labels } from './labels.js';
import type { Spool } from './spool.js';

/** Bytes read of each source in one round. */
const ROUND_BYTES = 4 * 1024 * 1024;
/** Rows that may wait for the blinder before reading stops. */
const MAX_WAITING_ROWS = 50_000;
/** Real milliseconds after which what was read is committed even if it has given no row yet. */
const COMMIT_EVERY_MS = 2_000;

export interface CollectorOptions {
  sources: readonly Source[];
  labels: Pick<Labels, 'label'>;
  tokenizer: Tokenizer;
  spool: Spool;
  store: StateStore;
  parts: PartFiles;
  refused: RefusedLines;
  purpose: Purpose;
  legalBasis: LegalBasis;
  /** Bytes on disk above which nothing more is read. */
  spoolBytes: number;
  now: () => number;
  /** Why lines cannot be judged by the clock, in words; null while they can. */
  clockTrouble: () => string | null;
  note: (text: string) => void;
}

/**
 * From lines to spooled batches. Reading goes ahead in memory; a commit writes the batches, then, in one atomic
 * replacement of the state, that they exist and how far the sources were read. A kill before the commit leaves batches
 * that the state does not know, which are removed and built again: a line is never counted twice, nor lost.
 */
export class Collector {
  private readonly blinder: RowBlinder;
  private waiting: RawRow[] = [];
  private waitingChanged = false;
  private fresh: RawRow[] = [];
  private dirty = false;
  private committedAt = performance.now();
  private readonly retry = new Backoff(500, 30_000);
  /** Why new values do not become tokens, in words; null while they do. */
  blinderTrouble: string | null = null;
  private blinderCode: string | null = null;
  /** Why nothing is read, in words; null while reading goes on. */
  readingTrouble: string | null = null;

  private constructor(private readonly options: CollectorOptions) {
    this.blinder = new RowBlinder(options.tokenizer);
  }

  static async open(options: CollectorOptions): Promise<Collector> {
    const collector = new Collector(options);
    const { waiting } = options.store.state;
    if (waiting) collector.waiting = await options.parts.read<RawRow[]>(waiting.file);
    return collector;
  }

  /** Rows read whose values have no token yet. */
  get waitingRows(): number {
    return this.waiting.length;
  }

  /** Whether everything read is in the spool. */
  get idle(): boolean {
    return this.fresh.length === 0 && this.waiting.length === 0;
  }

  /**
   * One round: reads, blinds, spools.
   * @param atEnd see {@link ReadOptions}
   * @param hold commits nothing: for a pipe, which cannot be read again
   * @returns whether another round may find more at once
   */
  async round(atEnd = false, hold = false): Promise<boolean> {
    const { options } = this;
    let more = false;
    this.readingTrouble = this.full() ?? options.clockTrouble();
    if (this.readingTrouble === null)
      for (const source of options.sources) more = (await this.readSource(source, atEnd, hold)) || more;
    await this.blindNew();
    if (hold && more) return more;
    const due = performance.now() - this.committedAt >= COMMIT_EVERY_MS;
    if (this.fresh.length > 0 || (this.waiting.length > 0 && this.waitingReady()) || (this.dirty && due))
      await this.commit();
    return more;
  }

  /** Reads one source; one that the system refuses must not keep the others from being read. */
  private async readSource(source: Source, atEnd: boolean, hold: boolean): Promise<boolean> {
    const { options } = this;
    const read = () =>
      source.read({ maxBytes: ROUND_BYTES, atEnd, now: options.now(), check: (row) => this.check(row) });
    let turn: Turn | null;
    try {
      turn = await read();
      if (turn?.begun) {
        turn.notes.forEach(options.note);
        // A kill before the first lines are spooled must not lose the way to a file that is rotated away meanwhile.
        if (!hold) await this.commit();
        turn = await read();
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined || error instanceof BongsuError) throw error;
      this.readingTrouble = `${source.path} cannot be read (${message}); the other inputs go on.`;
      return false;
    }
    if (turn === null) return false;
    turn.notes.forEach(options.note);
    for (const row of turn.rows) this.fresh.push(options.labels.label(row));
    options.refused.add(source.id, turn.refusals, options.now());
    this.dirty = true;
    return turn.more;
  }

  /** Spools and commits everything read so far. */
  async commit(): Promise<void> {
    const { options } = this;
    const ready: RawRow[] = [];
    const still: RawRow[] = [];
    for (const row of this.waiting) (this.blinder.complete(row) ? ready : still).push(row);
    const before = this.waiting.length;
    for (const row of this.fresh) (this.blinder.complete(row) ? ready : still).push(row);
    this.blinder.takeWanted();
    this.waitingChanged ||= still.length !== before || ready.length > this.fresh.length;

    const number = await this.spoolRows(ready);
    const sources = await Promise.all(
      options.sources.map(async (s) => [s.id, await s.prepare(options.parts)] as const),
    );
    const { waiting } = options.store.state;
    const file = !this.waitingChanged ? waiting : await this.writeWaiting(still);
    if (options.refused.full) {
      await options.refused.beginNew();
      await options.store.commit((draft) => void (draft.refusedBytes = 0));
    }
    const refusedBytes = await options.refused.write();
    await options.store.commit((draft) => {
      draft.nextBatch = number;
      for (const [id, state] of sources) draft.sources[id] = state;
      draft.waiting = file;
      draft.refusedBytes = refusedBytes;
      draft.nextFile = options.parts.nextFile;
    });
    this.waiting = still;
    this.waitingChanged = false;
    this.fresh = [];
    this.dirty = false;
    this.committedAt = performance.now();
    await options.parts.removeUnused(options.store.state);
  }

  private async writeWaiting(rows: RawRow[]): Promise<{ file: number; rows: number } | null> {
    return rows.length === 0 ? null : { file: await this.options.parts.write(rows), rows: rows.length };
  }

  /** Writes batches of rows whose values all have tokens; answers the number of the batch after them. */
  private async spoolRows(rows: readonly RawRow[]): Promise<number> {
    const { spool, store, tokenizer, purpose, legalBasis } = this.options;
    const envelope = { epoch: tokenizer.epoch, purpose, legalBasis };
    let number = store.state.nextBatch;
    let builder = new BatchBuilder();
    const add = (row: RawRow): boolean =>
      row.row === 'observation'
        ? builder.addObservation(row, this.blinder.observation(row)!)
        : builder.addKey(row, this.blinder.key(row)!);
    // What a key is comes before what it did.
    for (const row of inOrder(rows)) {
      if (add(row)) continue;
      await spool.write(number++, builder.build(), envelope);
      builder = new BatchBuilder();
      add(row);
    }
    if (!builder.empty) await spool.write(number++, builder.build(), envelope);
    return number;
  }

  private check(row: RawRow): LineReason | null {
    try {
      this.blinder.complete(row);
      return null;
    } catch (error) {
      if (error instanceof BadValue) return error.reason;
      throw error;
    }
  }

  private waitingReady(): boolean {
    const ready = this.waiting.some((row) => this.blinder.complete(row));
    this.blinder.takeWanted();
    return ready;
  }

  /** Has the blinder make tokens for what has none. Trouble is kept in words; what is known goes on. */
  private async blindNew(): Promise<void> {
    const wanted = this.blinder.takeWanted();
    if (!this.retry.due) return;
    if (this.blinderTrouble !== null || this.waiting.length > 0) {
      for (const row of this.waiting) this.blinder.complete(row);
      for (const row of this.fresh) this.blinder.complete(row);
      wanted.push(...this.blinder.takeWanted());
    }
    if (wanted.length === 0) return;
    try {
      await this.options.tokenizer.tokenize(wanted);
      if (this.blinderTrouble !== null) this.options.note('The blinder answers again: new values become tokens.');
      this.blinderTrouble = null;
      this.blinderCode = null;
      this.retry.reset();
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      this.retry.failed(error.retryAfterMs);
      const text = `${error.message} Rows with new values wait; known values go on.`;
      if (error.code !== this.blinderCode) this.options.note(text);
      this.blinderTrouble = text;
      this.blinderCode = error.code;
    }
  }

  private full(): string | null {
    const { spool, spoolBytes } = this.options;
    if (spool.bytes >= spoolBytes)
      return (
        `The spool holds ${spool.batches} batches (${Math.round(spool.bytes / 1048576)} MiB), as much as it may: ` +
        'reading stops until the hub has taken some. Nothing is lost while the logs are kept.'
      );
    if (this.waiting.length >= MAX_WAITING_ROWS)
      return `${this.waiting.length} rows wait for the blinder, as many as may: reading stops until it answers.`;
    if (this.fresh.length >= MAX_WAITING_ROWS)
      return `${this.fresh.length} rows read cannot be written to disk: reading stops until there is room again.`;
    return null;
  }
}

/** Keys first, then observations by hour; equal hours stay in the order read. */
function inOrder(rows: readonly RawRow[]): RawRow[] {
  const hourOf = (row: RawRow) => (row.row === 'observation' ? row.hour : -1);
  return [...rows].sort((a, b) => hourOf(a) - hourOf(b));
}
