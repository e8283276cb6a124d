import { open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Refusal } from '../input/rows.js';
import { syncFolder } from './files.js';

/** Bytes of details after which a new file is begun; the one before it is kept as `refused.1.jsonl`. */
const MAX_BYTES = 16 * 1024 * 1024;
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

  private constructor(
    private readonly folder: string,
    private bytes: number,
    private readonly maxBytes: number,
  ) {}

  /** @param bytes how many hold, by the state; fewer where the file gave way to a new one and the state does not say so yet */
  static async open(folder: string, bytes: number, maxBytes = MAX_BYTES): Promise<RefusedLines> {
    const { size } = await stat(join(folder, 'refused.jsonl')).catch(() => ({ size: 0 }));
    return new RefusedLines(folder, Math.min(bytes, size), maxBytes);
  }

  /** Whether the next lines belong into a new file: {@link beginNew}, and then a commit, come before {@link write}. */
  get full(): boolean {
    return this.bytes >= this.maxBytes;
  }

  /** Puts the file aside; the bytes that hold are then none. */
  async beginNew(): Promise<void> {
    await rename(join(this.folder, 'refused.jsonl'), join(this.folder, 'refused.1.jsonl'));
    await syncFolder(this.folder);
    this.bytes = 0;
  }

  add(source: string, refusals: readonly Refusal[], now: number): void {
    const at = new Date(now).toISOString();
    for (const { line, reason } of refusals) {
      const entry: RefusedLine = { source, line, reason, at };
      this.pending.push(`${JSON.stringify(entry)}\n`);
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
