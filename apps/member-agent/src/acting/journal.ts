import type { DeclineReason, OutcomeKind, RecommendationPayload } from '@app/member-sdk';
import { AppendLog } from '../state/append-log.js';
import { writeDurably } from '../state/files.js';

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
  | { t: 'report-refused'; at: number; id: string; index: number; code: string; message: string }
  /** What the entries before it came to, for one recommendation: written when the journal is made short. */
  | { t: 'case'; at: number; jtis: string[]; firstIntent: number | null; item: Case }
  /** The same, of one that was finished so long ago that only its names are kept: it is never acted on again. */
  | { t: 'closed'; at: number; jtis: string[]; id: string };

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

/** How long a finished recommendation is kept with all its evidence, milliseconds: two years. */
export const EVIDENCE_MS = 2 * 365 * 86_400_000;
/** How long events that ask for nothing are known by their `jti`, milliseconds; what comes later is noticed anew. */
const NOTICED_MS = 7 * 86_400_000;
/** Lines that the journal may have beyond what it must before it is made short. */
const SPARE_LINES = 1_000;

/**
 * What was received, intended, done and reported, in order, each synced before anything is built on it. Reading it
 * again after a kill gives the same cases.
 */
export class Journal {
  readonly cases = new Map<string, Case>();
  /** `jti` → the recommendation that it brought, or when an event came that brought none. */
  private readonly seen = new Map<string, { id: string } | { event: string; at: number }>();
  private readonly closed = new Map<string, number>();
  /** Times of the first intent of each case, for the hourly cap. */
  readonly intents: number[] = [];
  private readonly firstIntents = new Map<string, number>();
  private lines = 0;
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

  /**
   * The journal, made short first where it holds much that nothing needs any more: retries, old verifications, evidence
   * older than {@link EVIDENCE_MS}. The short one takes the long one's place in one step.
   * @param now milliseconds since 1970
   */
  static async openShort(path: string, now: number, spareLines = SPARE_LINES): Promise<Journal> {
    const journal = await Journal.open(path);
    const entries = journal.summary(now);
    if (journal.lines < 2 * entries.length + spareLines) return journal;
    await journal.close();
    await writeDurably(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    return Journal.open(path);
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

  /** The fewest entries that lead to what is known now. */
  private summary(now: number): JournalEntry[] {
    const jtis = new Map<string, string[]>();
    const entries: JournalEntry[] = [];
    for (const [jti, brought] of this.seen)
      if ('id' in brought) jtis.set(brought.id, [...(jtis.get(brought.id) ?? []), jti]);
      else if (brought.at > now - NOTICED_MS) entries.push({ t: 'noticed', at: brought.at, jti, event: brought.event });
    for (const [id, at] of this.closed) entries.push({ t: 'closed', at, jtis: jtis.get(id) ?? [], id });
    for (const item of this.cases.values()) {
      const names = { at: item.receivedAt, jtis: jtis.get(item.id) ?? [] };
      const finished =
        item.state === 'superseded' ||
        (item.state === 'done' && item.outcomes.every((outcome) => outcome.reported || outcome.refused !== null));
      if (finished && item.receivedAt < now - EVIDENCE_MS) entries.push({ t: 'closed', ...names, id: item.id });
      else entries.push({ t: 'case', ...names, firstIntent: this.firstIntents.get(item.id) ?? null, item });
    }
    return entries;
  }

  private apply(entry: JournalEntry): void {
    this.lines++;
    switch (entry.t) {
      case 'noticed':
        this.seen.set(entry.jti, { event: entry.event, at: entry.at });
        return;
      case 'received':
        this.seen.set(entry.jti, { id: entry.id });
        this.receive(entry);
        return;
      case 'case':
        for (const jti of entry.jtis) this.seen.set(jti, { id: entry.item.id });
        this.cases.set(entry.item.id, entry.item);
        if (entry.firstIntent !== null) this.intend(entry.item.id, entry.firstIntent);
        return;
      case 'closed':
        for (const jti of entry.jtis) this.seen.set(jti, { id: entry.id });
        this.closed.set(entry.id, entry.at);
        return;
    }
    const found = this.cases.get(entry.id);
    if (!found) return;
    switch (entry.t) {
      case 'intent':
        if (found.attempts++ === 0) this.intend(entry.id, entry.at);
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

  private intend(id: string, at: number): void {
    this.intents.push(at);
    this.firstIntents.set(id, at);
  }

  private receive(entry: JournalEntry & { t: 'received' }): void {
    if (this.cases.has(entry.id) || this.closed.has(entry.id)) return;
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
