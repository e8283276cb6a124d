import { open, stat, type FileHandle } from 'node:fs/promises';
import type { FilePosition } from '../state/agent-state.js';
import { findPosition, hashOf, headOf, holds, nextFile } from './rotation.js';

/** Bytes at a file's start that tell it from another. */
const HEAD_BYTES = 256;
/** A line longer than this is refused, not read. */
const MAX_LINE_BYTES = 1 << 20;

/** Whole lines of one file. */
export interface Lines {
  /** Line i has the number `first + i`. */
  texts: string[];
  first: number;
  /** Numbers of lines too long to be read. */
  tooLong: number[];
  /** Where reading goes on; null for a pipe. */
  position: FilePosition | null;
  /** What happened to the file, in words for the person who runs the agent; mostly none. */
  notes: string[];
}

/** Gives lines, each once. */
export interface LineReader {
  /** Null when there are none now. */
  read(maxBytes: number, atEnd?: boolean): Promise<Lines | null>;
  /** Bytes read and bytes there are. */
  unread(): Promise<{ read: number; size: number }>;
  close(): Promise<void>;
}

/**
 * Follows a file that others append to: through rotation (the name goes to a new file), truncation in place, and
 * restarts of this process. Every line is given once. A last line without its newline is given only when `atEnd` says
 * that nothing more comes, or when the name has gone to another file.
 */
export class LineFile implements LineReader {
  private file: FileHandle | null = null;
  /** The open file is no longer the one of the name: what is left of it is read, then the new one. */
  private former = false;

  constructor(
    readonly path: string,
    private position: FilePosition | null,
  ) {}

  /**
   * Up to about `maxBytes` of whole lines; null when there are none now.
   * @throws what the file system throws, but for a file that is not there (yet): null
   */
  async read(maxBytes: number, atEnd = false): Promise<Lines | null> {
    const notes: string[] = [];
    for (let turn = 0; turn < 3; turn++) {
      if (this.file === null && !(await this.open(notes))) return null;
      const lines = await this.take(maxBytes, atEnd || this.former, notes);
      if (lines !== null) return lines;
      if (!(await this.moveOn(notes))) break;
    }
    if (notes.length === 0 || this.position === null) return null;
    return { texts: [], first: this.position.line + 1, tooLong: [], position: this.position, notes };
  }

  /** Bytes not read yet of the file of this name now. 0 where it does not exist. */
  async unread(): Promise<{ read: number; size: number }> {
    const info = await stat(this.path, { bigint: true }).catch(() => null);
    if (info === null) return { read: 0, size: 0 };
    const size = Number(info.size);
    const same = this.position?.ino === String(info.ino);
    return { read: same ? Math.min(this.position!.offset, size) : 0, size };
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = null;
  }

  /** Opens the file that the position is in, wherever it is called now, or else the one of the name from its start. */
  private async open(notes: string[]): Promise<boolean> {
    // A position at a file's start counts too: that file may have been rotated away since, unread.
    if (this.position !== null) {
      const at = await findPosition(this.path, this.position);
      if (at !== null) {
        this.file = await open(at, 'r');
        this.former = at !== this.path;
        this.position = { ...this.position, ino: String((await this.file.stat({ bigint: true })).ino) };
        if (this.former) notes.push(`${this.path} was rotated to ${at}: its rest is read first`);
        return true;
      }
    }
    try {
      this.file = await open(this.path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    if (this.position !== null && this.position.offset > 0)
      notes.push(
        `${this.path} is another file than the one read to byte ${this.position.offset} (line ${this.position.line}), ` +
          'which is not beside it any more: lines after that are lost to the agent; the new file is read from its start',
      );
    await this.startOver();
    return true;
  }

  private async startOver(): Promise<void> {
    const { ino } = await this.file!.stat({ bigint: true });
    this.position = { ino: String(ino), offset: 0, line: 0, head: { length: 0, hash: hashOf(Buffer.alloc(0)) } };
    this.former = false;
  }

  private async take(maxBytes: number, atEnd: boolean, notes: string[]): Promise<Lines | null> {
    const file = this.file!;
    const position = this.position!;
    const { size } = await file.stat();
    if (size < position.offset || (await headOf(file, position.head.length)) !== position.head.hash) return null;
    const wanted = Math.min(Math.max(maxBytes, MAX_LINE_BYTES + 1), size - position.offset);
    if (wanted <= 0) return null;
    const buffer = Buffer.allocUnsafe(wanted);
    const { bytesRead } = await file.read(buffer, 0, wanted, position.offset);
    const bytes = buffer.subarray(0, bytesRead);
    let end = bytes.lastIndexOf(10) + 1;
    const whole = position.offset + bytesRead >= size;
    if (end === 0 && !(atEnd && whole)) {
      if (bytesRead <= MAX_LINE_BYTES) return null;
      // The start of a line that is too long: passed over here, counted where it ends.
      return this.advance(bytes.length, [], [], 0, true, notes);
    }
    if (atEnd && whole) end = bytesRead;
    const terminated = bytes[end - 1] === 10;
    const texts = bytes.toString('utf8', 0, terminated ? end - 1 : end).split('\n');
    const tooLong: number[] = [];
    if (position.line === 0 && texts[0]!.startsWith('\ufeff')) texts[0] = texts[0]!.slice(1);
    texts.forEach((text, i) => {
      if (text.endsWith('\r')) texts[i] = text.slice(0, -1);
      if ((i === 0 && position.skipping) || text.length > MAX_LINE_BYTES) tooLong.push(position.line + 1 + i);
    });
    return this.advance(end, texts, tooLong, texts.length, false, notes);
  }

  private async advance(
    bytes: number,
    texts: string[],
    tooLong: number[],
    count: number,
    skipping: boolean,
    notes: string[],
  ): Promise<Lines> {
    const before = this.position!;
    const offset = before.offset + bytes;
    let { head } = before;
    if (head.length < HEAD_BYTES) {
      const length = Math.min(HEAD_BYTES, offset);
      head = { length, hash: await headOf(this.file!, length) };
    }
    this.position = { ino: before.ino, offset, line: before.line + count, head, ...(skipping ? { skipping } : {}) };
    return { texts, first: before.line + 1, tooLong, position: this.position, notes };
  }

  /** At the end of the open file: goes to the one that has its name now, if there is one. */
  private async moveOn(notes: string[]): Promise<boolean> {
    const position = this.position!;
    const info = await stat(this.path, { bigint: true }).catch(() => null);
    if (info === null) return false;
    const own = await this.file!.stat({ bigint: true });
    const truncated =
      Number(own.size) < position.offset || (await headOf(this.file!, position.head.length)) !== position.head.hash;
    if (!truncated && info.ino === own.ino) return false;
    if (position.offset > 0 && (await holds(this.path, position, false))) {
      // Written anew with what was there and perhaps more: no rotation.
      await this.close();
      this.file = await open(this.path, 'r');
      this.position = { ...position, ino: String(info.ino) };
      this.former = false;
      return true;
    }
    if (!truncated && !this.former) {
      // The name has gone to another file. The rest of this one, an unfinished last line too, is read before it.
      if (info.size === 0n) return false;
      this.former = true;
      notes.push(`${this.path} was rotated: reading goes on in the new file`);
      return true;
    }
    const next = truncated ? this.path : await nextFile(this.path, own);
    await this.close();
    if (truncated) {
      const copy = await findPosition(this.path, this.position!);
      if (copy !== null && copy !== this.path) {
        this.file = await open(copy, 'r');
        this.former = true;
        notes.push(`${this.path} was truncated after a copy to ${copy}: the copy's rest is read first`);
        return true;
      }
      notes.push(`${this.path} was truncated: read again from its start; lines after byte ${position.offset} are lost`);
    }
    this.file = await open(next, 'r');
    await this.startOver();
    this.former = next !== this.path;
    return true;
  }
}
