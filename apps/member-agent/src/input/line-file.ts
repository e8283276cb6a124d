import { stat } from 'node:fs/promises';
import type { FilePosition } from '../state/agent-state.js';
import { openLog, type FileInfo, type OpenLog } from './open-log.js';
import { findPosition, headOf, holds, isReadable, nextFile } from './rotation.js';

/** Bytes at a file's start that tell it from another. */
const HEAD_BYTES = 256;
/** A line longer than this is refused, not read. */
const MAX_LINE_BYTES = 1 << 20;
/** Files read before whose heads are remembered. */
const REMEMBERED = 16;

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
  /** Files met whose lines, or the rest of them, cannot be read any more. */
  lostFiles: number;
  /**
   * A file was met for the first time and nothing of it read yet: the position is to be kept before anything is, since
   * the file may be rotated away while this process is not there.
   */
  begun: boolean;
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
  private file: OpenLog | null = null;
  /** The open file is no longer the one of the name: what is left of it is read, then the new one. */
  private former = false;
  private lost = 0;

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
    const unknown = this.position === null;
    for (let turn = 0; turn < 3; turn++) {
      if (this.file === null && !(await this.open(notes))) return null;
      if (unknown) return this.nothing(notes, true);
      const lines = await this.take(maxBytes, atEnd || this.former, notes);
      if (lines !== null) return lines;
      if (!(await this.moveOn(notes))) break;
    }
    return notes.length === 0 || this.position === null ? null : this.nothing(notes, false);
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

  private nothing(notes: string[], begun: boolean): Lines {
    return {
      texts: [],
      first: this.position!.line + 1,
      tooLong: [],
      position: this.position,
      notes,
      lostFiles: this.takeLost(),
      begun,
    };
  }

  private takeLost(): number {
    const { lost } = this;
    this.lost = 0;
    return lost;
  }

  /** Opens the file that the position is in, wherever it is called now, or else what came after it. */
  private async open(notes: string[]): Promise<boolean> {
    const { position } = this;
    // A position at a file's start counts too: that file may have been rotated away since, unread.
    const at = position === null ? null : await findPosition(this.path, position);
    if (position !== null && at !== null) {
      this.file = await openLog(at);
      this.former = at !== this.path;
      this.position = { ...position, ino: String((await this.file.info()).ino) };
      if (this.former) notes.push(`${this.path} was rotated to ${at}: its rest is read first`);
      return true;
    }
    let next = this.path;
    if (position?.written !== undefined)
      next = await this.nextReadable({ ino: BigInt(position.ino), mtimeNs: BigInt(position.written) }, position, notes);
    try {
      this.file = await openLog(next);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    if (position !== null && position.offset > 0) {
      this.lost++;
      notes.push(
        `${this.path} is another file than the one read to byte ${position.offset} (line ${position.line}), which is ` +
          `not beside it any more: lines that came after that are lost to the agent; ${next} is read from its start`,
      );
    }
    await this.startOver(next);
    return true;
  }

  /** {@link nextFile}, past those that cannot be read, which are said to be lost. */
  private async nextReadable(after: FileInfo, position: FilePosition | null, notes: string[]): Promise<string> {
    const read = position === null ? [] : [position.head, ...(position.before ?? [])];
    for (let last = after; ;) {
      const next = await nextFile(this.path, last, read);
      if (isReadable(next)) return next;
      this.lost++;
      notes.push(
        `${next} was compressed before it was read, in a way that the agent cannot read (gzip it can): its lines are ` +
          'lost to the agent. Unpack it and pipe it: `agent push --gateway -`',
      );
      last = await stat(next, { bigint: true });
    }
  }

  /** Begins the open file, which is at `path`. */
  private async startOver(path: string): Promise<void> {
    const { ino, mtimeNs } = await this.file!.info();
    const length = Math.min(HEAD_BYTES, await this.file!.size());
    const read = this.position;
    const before = read === null || read.head.length === 0 ? (read?.before ?? []) : [read.head, ...(read.before ?? [])];
    this.position = {
      ino: String(ino),
      offset: 0,
      line: 0,
      head: { length, hash: await headOf(this.file!, length) },
      written: String(mtimeNs),
      ...(before.length > 0 ? { before: before.slice(0, REMEMBERED) } : {}),
    };
    this.former = path !== this.path;
  }

  private async take(maxBytes: number, atEnd: boolean, notes: string[]): Promise<Lines | null> {
    const file = this.file!;
    const position = this.position!;
    const size = await file.size();
    if (size < position.offset || (await headOf(file, position.head.length)) !== position.head.hash) return null;
    const wanted = Math.min(Math.max(maxBytes, MAX_LINE_BYTES + 1), size - position.offset);
    if (wanted <= 0) return null;
    const buffer = Buffer.allocUnsafe(wanted);
    const bytesRead = await file.read(buffer, wanted, position.offset);
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
    if (head.length < HEAD_BYTES && offset > head.length) {
      const length = Math.min(HEAD_BYTES, offset);
      head = { length, hash: await headOf(this.file!, length) };
    }
    const written = String((await this.file!.info()).mtimeNs);
    const { skipping: _, ...rest } = before;
    this.position = { ...rest, offset, line: before.line + count, head, written, ...(skipping ? { skipping } : {}) };
    const lostFiles = this.takeLost();
    return { texts, first: before.line + 1, tooLong, position: this.position, notes, lostFiles, begun: false };
  }

  /** At the end of the open file: goes to the one that has its name now, if there is one. */
  private async moveOn(notes: string[]): Promise<boolean> {
    const position = this.position!;
    const info = await stat(this.path, { bigint: true }).catch(() => null);
    if (info === null) return false;
    const own = await this.file!.info();
    const truncated =
      (await this.file!.size()) < position.offset ||
      (await headOf(this.file!, position.head.length)) !== position.head.hash;
    if (!truncated && info.ino === own.ino) return false;
    if (position.offset > 0 && (await holds(this.path, position, false))) {
      // Written anew with what was there and perhaps more: no rotation.
      await this.close();
      this.file = await openLog(this.path);
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
    const next = truncated ? this.path : await this.nextReadable(own, position, notes);
    await this.close();
    if (truncated) {
      const copy = await findPosition(this.path, this.position!);
      if (copy !== null && copy !== this.path) {
        this.file = await openLog(copy);
        this.former = true;
        notes.push(`${this.path} was truncated after a copy to ${copy}: the copy's rest is read first`);
        return true;
      }
      this.lost++;
      notes.push(`${this.path} was truncated: read again from its start; lines after byte ${position.offset} are lost`);
    }
    this.file = await openLog(next);
    await this.startOver(next);
    return true;
  }
}
