import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BongsuError } from '@app/protocol';

const HOUR_MS = 3_600_000;
const HOUR_FIELD = /"hour"\s*:\s*"([^"]+)"/;

/** A population's usage cut into steps of time, so that it can be lived through, whatever the order of its lines. */
export class Feed {
  private constructor(
    private readonly folder: string,
    /** Start of the first step and length of each; ms. */
    readonly start: number,
    readonly stepMs: number,
    readonly steps: number,
  ) {}

  /**
   * Cuts `DIR/<member>/usage.jsonl` of each member into files of one step each.
   * @throws {BongsuError} NOT_FOUND where the directory is no population, BAD_INPUT for a line without an hour
   */
  static async cut(dir: string, members: readonly string[], stepHours: number, folder: string): Promise<Feed> {
    const stepMs = stepHours * HOUR_MS;
    let [first, last] = [Infinity, -Infinity];
    for (const member of members) {
      const file = join(dir, member, 'usage.jsonl');
      if (!existsSync(file))
        throw new BongsuError('NOT_FOUND', `${file} is missing: ${dir} is no population directory.`, dir);
      mkdirSync(join(folder, member), { recursive: true });
      const open = new Map<number, WriteStream>();
      let lineNumber = 0;
      for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
        lineNumber++;
        if (line.trim() === '') continue;
        const hour = Date.parse(HOUR_FIELD.exec(line)?.[1] ?? '');
        if (Number.isNaN(hour)) throw new BongsuError('BAD_INPUT', `${file}:${lineNumber} has no "hour".`, file);
        const step = Math.floor(hour / stepMs);
        [first, last] = [Math.min(first, step), Math.max(last, step)];
        let out = open.get(step);
        if (!out) open.set(step, (out = createWriteStream(join(folder, member, String(step)))));
        if (!out.write(`${line}\n`)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
      }
      await Promise.all([...open.values()].map((out) => new Promise<void>((resolve) => out.end(() => resolve()))));
    }
    if (first > last) throw new BongsuError('BAD_INPUT', `${dir} has no usage.`, dir);
    return new Feed(folder, first * stepMs, stepMs, last - first + 1);
  }

  /** End of a step, ms since 1970. */
  endOf(step: number): number {
    return this.start + (step + 1) * this.stepMs;
  }

  /** A member's lines of a step. */
  lines(member: string, step: number): string {
    const file = join(this.folder, member, String(this.start / this.stepMs + step));
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}
