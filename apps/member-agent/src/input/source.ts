import type { SourceState } from '../state/agent-state.js';
import type { PartFiles } from '../state/part-files.js';
import type { LineReason, RawRow, Refusal } from './rows.js';

/** What a source may need to know while it reads. */
export interface ReadOptions {
  /** About how many bytes to read at most. */
  maxBytes: number;
  /** Nothing more comes after the file's present end: an unfinished last line counts, open hours are given out. */
  atEnd: boolean;
  /** Milliseconds since 1970. */
  now: number;
  /** Why a row's values cannot be blinded; null when they can. */
  check: (row: RawRow) => LineReason | null;
}

/** What one reading brought. */
export interface Turn {
  /** Rows to be blinded and sent. */
  rows: RawRow[];
  refusals: Refusal[];
  /** What the person who runs the agent should know: rotations, lost files. */
  notes: string[];
  /** Whether there may be more to read at once. */
  more: boolean;
  /** Nothing was read yet of a file met for the first time; its place is to be kept first. */
  begun?: boolean;
}

/** How far a source has been read, in this process; ahead of the committed state by what is not spooled yet. */
export interface SourceProgress {
  bytesRead: number;
  size: number;
  /** Hours that are still being collected; null where the source has none. */
  pendingHours: number | null;
  /** Whether everything that can be given out has been, at this moment. */
  caughtUp: boolean;
}

/** One input. {@link read} goes ahead in memory; {@link prepare} says what to commit so that nothing is read again. */
export interface Source {
  /** Kind and path: the name of its state. */
  readonly id: string;
  readonly path: string;
  /** Null when there is nothing new. */
  read(options: ReadOptions): Promise<Turn | null>;
  /** The state that stands for everything read so far, its part files written. */
  prepare(parts: PartFiles): Promise<SourceState>;
  progress(now: number): Promise<SourceProgress>;
  close(): Promise<void>;
}
