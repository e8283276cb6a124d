import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Refusal } from '../input/rows.js';

/** Bytes of details kept; beyond that lines are only counted. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Refusals shown in the status. */
const RECENT = 20;

/** One refused line, as the file has it. */
export interface RefusedLine extends Refusal {
  source: string;
  /** When it was read, ISO 8601. */
  at: string;
}

/**
 * `refused.jsonl`: which lines were not counted and why. The state says how many of its bytes hold: what a killed
 * process wrote beyond them is overwritten, so a refusal stands in it once.
 */
export class RefusedLines {
  private pending: string[] = [];
  readonly recent: RefusedLine[] = [];

  constructor(
    private readonly folder: string,
    private bytes: number,
  ) {}

  add(source: string, refusals: readonly Refusal[], now: number): void {
    const at = new Date(now).toISOString();
    for (const { line, reason } of refusals) {
      const entry: RefusedLine = { source, line, reason, at };
      if (this.bytes < MAX_BYTES) this.pending.push(`${JSON.stringify(entry)}\n`);
      this.recent.push(entry);
    }
    if (this.recent.length > RECENT) this.recent.splice(0, this.recent.length - RECENT);
  }

  /** Writes what was added; answers the bytes that hold once the state with that number is committed. */
  async write(): Promise<number> {
    if (this.pending.length === 0) return this.bytes;
    const bytes = Buffer.from(this.pending.join(''), 'utf8');
    const file = await open(join(this.folder, 'refused.jsonl'), 'a', 0o600);
    await file.close();
    const writable = await open(join(this.folder, 'refused.jsonl'), 'r+');
    try {
      await writable.truncate(this.bytes);
      await writable.write(bytes, 0, bytes.length, this.bytes);
      await writable.datasync();
    } finally {
      await writable.close();
    }
    this.bytes += bytes.length;
    this.pending = [];
    return this.bytes;
  }
}
