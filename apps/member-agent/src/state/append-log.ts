import { open, type FileHandle } from 'node:fs/promises';

/**
 * An append-only file of JSON lines. What {@link append} has answered is on disk; a line that a kill tore in two is
 * cut off when the file is opened. Appends that arrive while one is being synced share the next sync.
 */
export class AppendLog<T> {
  private queue: { text: string; done: () => void; failed: (error: unknown) => void }[] = [];
  private writing: Promise<void> | null = null;
  /** The file may end with part of a line. */
  private torn = false;

  private constructor(
    private readonly file: FileHandle,
    /** Bytes in the file that are whole lines. */
    private size: number,
  ) {}

  /**
   * Opens or makes the file, and gives every whole line to `each` in order. Lines that are no JSON are skipped: none
   * is ever written.
   */
  static async open<T>(path: string, each: (entry: T) => void): Promise<AppendLog<T>> {
    const file = await open(path, 'a+', 0o600);
    const { size } = await file.stat();
    const whole = await AppendLog.scan(file, size, each);
    if (whole < size) await file.truncate(whole);
    return new AppendLog<T>(file, whole);
  }

  /** Gives every whole line to `each`, without touching the file: another process may be writing it. */
  static async read<T>(path: string, each: (entry: T) => void): Promise<void> {
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (file === null) return;
    try {
      await AppendLog.scan(file, (await file.stat()).size, each);
    } finally {
      await file.close();
    }
  }

  /** Answers how many bytes are whole lines. */
  private static async scan<T>(file: FileHandle, size: number, each: (entry: T) => void): Promise<number> {
    let whole = 0;
    let rest = Buffer.alloc(0);
    const chunk = Buffer.alloc(1 << 20);
    for (let at = 0; at < size;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const end = rest.lastIndexOf(10) + 1;
      if (end === 0) continue;
      whole += end;
      for (const line of rest.toString('utf8', 0, end - 1).split('\n')) {
        try {
          each(JSON.parse(line) as T);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
        }
      }
      rest = rest.subarray(end);
    }
    return whole;
  }

  /** Appends entries; resolves when they are on disk. */
  append(...entries: T[]): Promise<void> {
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    return new Promise<void>((done, failed) => {
      this.queue.push({ text, done, failed });
      this.writing ??= this.drain();
    });
  }

  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      const group = this.queue;
      this.queue = [];
      try {
        const bytes = Buffer.from(group.map((g) => g.text).join(''), 'utf8');
        // What was written in part must not become the start of the next line.
        if (this.torn) await this.file.truncate(this.size);
        this.torn = true;
        await this.file.appendFile(bytes);
        await this.file.datasync();
        this.torn = false;
        this.size += bytes.length;
        for (const g of group) g.done();
      } catch (error) {
        for (const g of group) g.failed(error);
      }
    }
    // At once, with the look at the queue: an append that comes now begins anew.
    this.writing = null;
  }

  async close(): Promise<void> {
    while (this.writing) await this.writing;
    await this.file.close();
  }
}
