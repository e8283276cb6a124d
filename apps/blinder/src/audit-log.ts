import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '@app/protocol';
import { appendJsonLine, mendJsonLines, readJsonLines } from './json-lines.js';

/** What else than an error's code an event can be of. */
export type AuditCode = ErrorCode | 'QUOTA_NEAR' | 'EPOCH_PREPARED' | 'EPOCH_ACTIVATED' | 'EPOCH_DESTROYED';

/** One event: a refusal, an alarm (a member has hit its quota, or comes near it as never before), or what staff did. */
export interface AuditEvent {
  readonly kind: 'refused' | 'alarm' | 'done';
  readonly code: AuditCode;
  /** The caller's name; unverified where `verified` is false, null where none was given. */
  readonly caller: string | null;
  readonly verified: boolean;
  readonly message: string;
  /** Elements asked for, where that is known. */
  readonly elements?: number;
}

/** An event as kept: numbered without gaps from 1, with its time in ISO 8601. */
export interface AuditEntry extends AuditEvent {
  readonly seq: number;
  readonly at: string;
  /** Refusals of the same caller that the limit per minute left out before this entry. */
  readonly leftOut?: number;
}

/** Refusals written per caller and minute; all unverified callers are one. A flood must not fill the disk. */
const REFUSALS_A_MINUTE = 60;
const KEPT_IN_MEMORY = 10_000;
const MINUTE_MS = 60_000;

/** The audit: `audit.jsonl`, appended, with the newest entries at hand for staff. */
export class AuditLog {
  private readonly path: string;
  private entries: AuditEntry[];
  private lastSeq: number;
  private minute = 0;
  private readonly refusals = new Map<string, number>();
  private readonly leftOut = new Map<string, number>();

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.path = join(dir, 'audit.jsonl');
    mendJsonLines(this.path);
    const kept = readJsonLines(this.path).filter((entry) => typeof entry['seq'] === 'number');
    this.entries = kept.slice(-KEPT_IN_MEMORY) as unknown as AuditEntry[];
    this.lastSeq = this.entries.at(-1)?.seq ?? 0;
  }

  /**
   * @param now milliseconds since the epoch
   * @returns the entry; null for one that the limit per minute left out
   * @throws {Error} of the file system
   */
  write(event: AuditEvent, now: number): AuditEntry | null {
    const group = event.verified ? `v:${event.caller}` : 'unverified';
    if (event.kind === 'refused' && this.overLimit(group, now)) return null;
    const missed = this.leftOut.get(group);
    const entry: AuditEntry = {
      seq: this.lastSeq + 1,
      at: new Date(now).toISOString(),
      ...event,
      ...(missed === undefined ? {} : { leftOut: missed }),
    };
    appendJsonLine(this.path, entry);
    this.leftOut.delete(group);
    this.lastSeq = entry.seq;
    this.entries.push(entry);
    if (this.entries.length > 2 * KEPT_IN_MEMORY) this.entries = this.entries.slice(-KEPT_IN_MEMORY);
    return entry;
  }

  /** The newest entry, of those at hand, that fits. */
  find(fits: (entry: AuditEntry) => boolean): AuditEntry | undefined {
    return this.entries.findLast(fits);
  }

  /** Entries numbered above `seq`, oldest first, among the newest 10,000. */
  after(seq: number, limit: number): readonly AuditEntry[] {
    const start = this.entries.findIndex((entry) => entry.seq > seq);
    return start < 0 ? [] : this.entries.slice(start, start + limit);
  }

  private overLimit(group: string, now: number): boolean {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.minute) {
      this.minute = minute;
      this.refusals.clear();
    }
    const count = (this.refusals.get(group) ?? 0) + 1;
    this.refusals.set(group, count);
    if (count <= REFUSALS_A_MINUTE) return false;
    this.leftOut.set(group, (this.leftOut.get(group) ?? 0) + 1);
    return true;
  }
}
