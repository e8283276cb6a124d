import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BongsuError } from '@app/member-sdk';
import { writeDurably } from './files.js';

/** SHA-256 of a file's first `length` bytes: tells it from another. */
export interface FileHead {
  length: number;
  hash: string;
}

/** How far a file has been read. */
export interface FilePosition {
  /** Inode number, as text. */
  ino: string;
  /** Bytes read: always the end of a line. */
  offset: number;
  /** Lines read of this file. */
  line: number;
  head: FileHead;
  /** When the file had last been written to as it was read, nanoseconds since 1970. */
  written?: string;
  /** Files read before, latest first: they may come back compressed. */
  before?: FileHead[];
  /** In the middle of a line too long to be read. */
  skipping?: boolean;
}

/** Lines of one source so far. `lines` = `counted` + the sum of `refused`. */
export interface LineCounts {
  lines: number;
  counted: number;
  /** By reason. */
  refused: Record<string, number>;
  /** Files whose rest, or the whole of which, was gone or unreadable before it was read. */
  lostFiles?: number;
}

/** A source of hourly usage. */
export interface UsageState extends LineCounts {
  kind: 'usage';
  position: FilePosition | null;
}

/** A list of keys, read whole whenever it changes; the counts are those of the last reading. */
export interface KeysState extends LineCounts {
  kind: 'keys';
  /** Size, inode and times of the file at the last reading. */
  stamp: string | null;
  /** Number of the file with the digest of every key's line as it was last sent. */
  sent: number | null;
}

/** A gateway's log and the hours it is being aggregated into. */
export interface GatewayState extends LineCounts {
  kind: 'gateway';
  position: FilePosition | null;
  /** Per hour (hours since 1970): number of the file with its aggregates. */
  hours: Record<string, number>;
  /** Number of the file with the keys' recent activity. */
  history: number | null;
  /** Hours up to this one are no longer kept; null before any. */
  dropped: number | null;
  /** Latest time in the log, milliseconds since 1970. */
  latest: number | null;
}

export type SourceState = UsageState | KeysState | GatewayState;

/** Everything that must agree with everything else: replaced in one atomic write. */
export interface AgentState {
  version: 1;
  /** Number of the next batch to be spooled, from 1. */
  nextBatch: number;
  /** Batches up to this number have been answered by the hub. */
  answered: number;
  /** A batch's sequence number is this plus its number; null until the hub said what it holds. */
  sequenceBase: number | null;
  sources: Record<string, SourceState>;
  /** Number of the file of rows that wait for the blinder, and how many there are. */
  waiting: { file: number; rows: number } | null;
  /** Whole bytes of the file of refused lines. */
  refusedBytes: number;
  /** Next number for a file beside this one. */
  nextFile: number;
  sent: { batches: number; accepted: number; rejected: number; byCode: Record<string, number>; setAside: number };
}

const FRESH: AgentState = {
  version: 1,
  nextBatch: 1,
  answered: 0,
  sequenceBase: null,
  sources: {},
  waiting: null,
  refusedBytes: 0,
  nextFile: 1,
  sent: { batches: 0, accepted: 0, rejected: 0, byCode: {}, setAside: 0 },
};

/** The state on disk. Changes are made one after the other, each whole or not at all. */
export class StateStore {
  private tail: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly folder: string,
    private current: AgentState,
  ) {}

  /** @throws {BongsuError} CONFIG_INVALID when the file is not one of this program */
  static async open(folder: string): Promise<StateStore> {
    return new StateStore(folder, (await readState(folder)) ?? structuredClone(FRESH));
  }

  /** As it is on disk. Not to be changed by the reader. */
  get state(): Readonly<AgentState> {
    return this.current;
  }

  /** Applies a change and writes it. @throws what the file system throws; then nothing has changed */
  commit(change: (draft: AgentState) => void): Promise<void> {
    const next = this.tail.then(async () => {
      const draft = structuredClone(this.current);
      change(draft);
      await writeDurably(join(this.folder, 'state.json'), JSON.stringify(draft));
      this.current = draft;
    });
    this.tail = next.catch(() => {});
    return next;
  }
}

/** The state in a folder; null where no agent has worked yet. */
export async function readState(folder: string): Promise<AgentState | null> {
  const path = join(folder, 'state.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const state = JSON.parse(text) as AgentState;
  if (state.version !== 1)
    throw new BongsuError('CONFIG_INVALID', `${path} was written by another version of the agent.`, 'stateDir');
  return state;
}
