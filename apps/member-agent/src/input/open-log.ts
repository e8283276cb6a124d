import { createReadStream } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** What the file system says of a file. */
export interface FileInfo {
  ino: bigint;
  mtimeNs: bigint;
}

/** A log open for reading: as it is, or the text in a compressed one. Sizes and places are those of the text, bytes. */
export interface OpenLog {
  info(): Promise<FileInfo>;
  size(): Promise<number>;
  /** Reads at a place; answers how many bytes there were. */
  read(into: Buffer, length: number, at: number): Promise<number>;
  close(): Promise<void>;
}

/** Opens a log: compressed where its name ends with `.gz`. @throws what the file system throws */
export async function openLog(path: string): Promise<OpenLog> {
  const file = await open(path, 'r');
  if (!path.endsWith('.gz')) return new PlainLog(file);
  await file.close();
  return new GzipLog(path);
}

class PlainLog implements OpenLog {
  constructor(private readonly file: FileHandle) {}

  info(): Promise<FileInfo> {
    return this.file.stat({ bigint: true });
  }

  async size(): Promise<number> {
    return (await this.file.stat()).size;
  }

  async read(into: Buffer, length: number, at: number): Promise<number> {
    return (await this.file.read(into, 0, length, at)).bytesRead;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/** Bytes at the start that are kept: they are looked at before every reading. */
const KEPT_HEAD = 4096;

/**
 * A log that rotation has compressed: written once, never added to. It is read forwards; what lies behind is read anew
 * from the start. Of a damaged one there is what can be read.
 */
class GzipLog implements OpenLog {
  private chunks: AsyncIterator<Buffer> | null = null;
  private source: Readable | null = null;
  /** Text from `start` on that has been unpacked and may be asked for again. */
  private window: Buffer = Buffer.alloc(0);
  private start = 0;
  private head: Buffer | null = null;
  private total: number | null = null;

  constructor(private readonly path: string) {}

  info(): Promise<FileInfo> {
    return stat(this.path, { bigint: true });
  }

  async size(): Promise<number> {
    if (this.total !== null) return this.total;
    this.rewind();
    let total = 0;
    for (let chunk = await this.next(); chunk !== null; chunk = await this.next()) total += chunk.length;
    this.rewind();
    return (this.total = total);
  }

  async read(into: Buffer, length: number, at: number): Promise<number> {
    if (at + length <= KEPT_HEAD) {
      this.head ??= await this.unpack(0, KEPT_HEAD);
      return this.head.copy(into, 0, at, at + length);
    }
    return (await this.unpack(at, length)).copy(into);
  }

  async close(): Promise<void> {
    this.rewind();
  }

  private async unpack(at: number, length: number): Promise<Buffer> {
    if (at < this.start) this.rewind();
    const parts = [this.window];
    let end = this.start + this.window.length;
    while (end < at + length) {
      const chunk = await this.next();
      if (chunk === null) break;
      // What lies before the place is not kept.
      if (end <= at) {
        parts.length = 0;
        this.start = end;
      }
      parts.push(chunk);
      end += chunk.length;
    }
    const text = Buffer.concat(parts);
    const from = Math.min(text.length, at - this.start);
    this.window = text.subarray(from);
    this.start += from;
    return this.window.subarray(0, length);
  }

  private async next(): Promise<Buffer | null> {
    if (this.chunks === null) {
      const file = createReadStream(this.path);
      const unpacked = createGunzip();
      file.on('error', (error) => unpacked.destroy(error));
      this.source = file;
      this.chunks = file.pipe(unpacked)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    }
    try {
      const { value, done } = await this.chunks.next();
      return done ? null : value;
    } catch (error) {
      // zlib's own errors: what is damaged ends there. Others are the file system's.
      if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
      return null;
    }
  }

  private rewind(): void {
    this.source?.destroy();
    void this.chunks?.return?.();
    this.chunks = null;
    this.source = null;
    this.window = Buffer.alloc(0);
    this.start = 0;
  }
}
