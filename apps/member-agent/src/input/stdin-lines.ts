import type { Readable } from 'node:stream';
import type { LineReader, Lines } from './line-file.js';

/** A line longer than this is refused, not read. */
const MAX_LINE = 1 << 20;

/** Lines from a pipe, once. They have no position to come back to: nothing may be committed before their end. */
export class StdinLines implements LineReader {
  private line = 0;
  private rest = '';
  private ended = false;
  private readonly chunks: AsyncIterator<string>;

  constructor(stream: Readable) {
    this.chunks = stream.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
  }

  async read(maxBytes: number): Promise<Lines | null> {
    if (this.ended) return null;
    const parts = [this.rest];
    for (let size = 0; size < maxBytes;) {
      const { value, done } = await this.chunks.next();
      if (done) {
        this.ended = true;
        break;
      }
      parts.push(value);
      size += value.length;
    }
    const texts = parts.join('').split('\n');
    const last = texts.pop()!;
    if (this.ended) {
      if (last !== '') texts.push(last);
    } else this.rest = last;
    const first = this.line + 1;
    this.line += texts.length;
    const tooLong = texts.flatMap((text, i) => (text.length > MAX_LINE ? [first + i] : []));
    return { texts, first, tooLong, position: null, notes: [], lostFiles: 0, begun: false };
  }

  async unread(): Promise<{ read: number; size: number }> {
    return { read: 0, size: this.ended ? 0 : 1 };
  }

  async close(): Promise<void> {}
}
