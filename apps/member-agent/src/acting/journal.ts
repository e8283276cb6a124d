import type { DeclineReason, OutcomeKind, RecommendationPayload } from '@app/member-sdk';
import { AppendLog } from '../state/append-log.js';

/** An outcome to be reported. */
export interface JournalledOutcome {
  outcome: OutcomeKind;
  reason: DeclineReason | null;
  note: string | null;
  /** When it happened, or will be due: milliseconds since 1970. */
  at: number;
}

/** A line of the journal. `at` is by the agent's clock, milliseconds since 1970; `id` is the recommendation's. */
export type JournalEntry =
  | { t: 'received'; at: number; jti: string; id: string; token: string; set: string; payload: RecommendationPayload }
  /** An event that asks for nothing (a stream's verification): kept so that its `jti` is known. */
  | { t: 'noticed'; at: number; jti: string; event: string }
  | { t: 'intent'; at: number; id: string }
  /** The hook was not reached, or said no, so that nothing was done: it may be called again. */
  | { t: 'undone'; at: number; id: string; message: string }
  /** The hook may have acted: with `again` it is called again with the same key, otherwise a person is asked. */
  | { t: 'uncertain'; at: number; id: string; message: string }
  | { t: 'result'; at: number; id: string; by: 'hook' | 'agent' | 'person'; outcomes: JournalledOutcome[] }
  | { t: 'released'; at: number; id: string }
  | { t: 'reported'; at: number; id: string; index: number }
  | { t: 'report-refused'; at: number; id: string; index: number; code: string; message: string };

/** What has become of one recommendation. */
export interface Case {
  id: string;
  /** The key's token, base64url. */
  token: string;
  receivedAt: number;
  /** The signed token as it came: evidence of who said what. */
  set: string;
  payload: RecommendationPayload;
  /**
   * `waiting`: nothing done yet. `intended`: the hook was called, or was about to be, and its answer is not known.
   * `asking`: the same, and only a person can tell. `done`: there is a result. `superseded`: a later one replaced it.
   */
  state: 'waiting' | 'intended' | 'asking' | 'done' | 'superseded';
  released: boolean;
  attempts: number;
  trouble: string | null;
  outcomes: (JournalledOutcome & { by: string; reported: boolean; refused: string | null })[];
}

/**
 * What was received, intended, done and reported, in order, each synced before anything is built on it. Reading it
 * again after a kill gives the same cases.
 */
export class Journal {
  readonly cases = new Map<string, Case>();
  private readonly seen = new Set<string>();
  /** Times of the first intent of each case, for the hourly cap. */
  readonly intents: number[] = [];
  private log: AppendLog<JournalEntry>;

  private constructor() {}

  /** @param options `readOnly`: only to look at, while an agent may be writing it */
  static async open(path: string, options: { readOnly?: boolean } = {}): Promise<Journal> {
    const journal = new Journal();
    const each = (entry: JournalEntry) => journal.apply(entry);
    if (options.readOnly) await AppendLog.read(path, each);
    else journal.log = await AppendLog.open(path, each);
    return journal;
  }

  /** Whether an event was journalled before. */
  has(jti: string): boolean {
    return this.seen.has(jti);
  }

  /** Durable when resolved; only then part of {@link cases}. */
  async write(...entries: JournalEntry[]): Promise<void> {
    await this.log.append(...entries);
    for (const entry of entries) this.apply(entry);
  }

  async close(): Promise<void> {
    await this.log.close();
  }

  private apply(entry: JournalEntry): void {
    if (entry.t === 'noticed') {
      this.seen.add(entry.jti);
      return;
    }
    if (entry.t === 'received') {
      this.seen.add(entry.jti);
      this.receive(entry);
      return;
    }
    const found = this.cases.get(entry.id);
    if (!found) return;
    switch (entry.t) {
      case 'intent':
        if (found.attempts++ === 0) this.intents.push(entry.at);
        found.state = 'intended';
        break;
      case 'undone':
        found.state = 'waiting';
        found.trouble = entry.message;
        break;
      case 'uncertain':
        found.state = 'asking';
        found.trouble = entry.message;
        break;
      case 'released':
        found.released = true;
        if (found.state === 'asking') found.state = 'waiting';
        break;
      case 'result':
        found.state = 'done';
        found.trouble = null;
        for (const o of entry.outcomes) found.outcomes.push({ ...o, by: entry.by, reported: false, refused: null });
        break;
      case 'reported':
      case 'report-refused': {
        const outcome = found.outcomes[entry.index];
        if (!outcome) break;
        if (entry.t === 'reported') outcome.reported = true;
        else outcome.refused = `${entry.code}: ${entry.message}`;
      }
    }
  }

  private receive(entry: JournalEntry & { t: 'received' }): void {
    if (this.cases.has(entry.id)) return;
    const replaced = entry.payload.supersedes === null ? undefined : this.cases.get(entry.payload.supersedes);
    if (replaced?.state === 'waiting') replaced.state = 'superseded';
    this.cases.set(entry.id, {
      id: entry.id,
      token: entry.token,
      receivedAt: entry.at,
      set: entry.set,
      payload: entry.payload,
      state: 'waiting',
      released: false,
      attempts: 0,
      trouble: null,
      outcomes: [],
    });
  }
}
