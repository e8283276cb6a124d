import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentState } from './agent-state.js';
import { makeFolder, writeDurably } from './files.js';

/**
 * Files beside the state that are too large to be rewritten with it. Each has a number that the state refers to and is
 * never changed; the commit of a state that refers to another makes the old one garbage.
 */
export class PartFiles {
  private constructor(
    private readonly folder: string,
    private next: number,
    private readonly written: Set<number>,
  ) {}

  /** Opens the folder and removes what the state does not refer to. */
  static async open(stateFolder: string, state: Readonly<AgentState>): Promise<PartFiles> {
    const folder = join(stateFolder, 'parts');
    await makeFolder(folder);
    const parts = new PartFiles(folder, state.nextFile, new Set());
    for (const name of await readdir(folder)) {
      const number = Number.parseInt(name, 10);
      if (/^\d+\.json$/.test(name)) parts.written.add(number);
      else await rm(join(folder, name), { force: true });
    }
    await parts.removeUnused(state);
    return parts;
  }

  /** The number that the next file will have. */
  get nextFile(): number {
    return this.next;
  }

  /** Writes a new file, durable when resolved; answers its number. */
  async write(content: unknown): Promise<number> {
    const number = this.next++;
    await writeDurably(this.path(number), JSON.stringify(content));
    this.written.add(number);
    return number;
  }

  async read<T>(number: number): Promise<T> {
    return JSON.parse(await readFile(this.path(number), 'utf8')) as T;
  }

  /** Removes every file that the state, which must be the committed one, does not refer to. */
  async removeUnused(state: Readonly<AgentState>): Promise<void> {
    const used = new Set<number | null>([state.waiting?.file ?? null]);
    for (const source of Object.values(state.sources)) {
      if (source.kind === 'keys') used.add(source.sent);
      if (source.kind === 'gateway') for (const n of [source.history, ...Object.values(source.hours)]) used.add(n);
    }
    for (const number of this.written) {
      if (used.has(number)) continue;
      await rm(this.path(number), { force: true });
      this.written.delete(number);
    }
  }

  private path(number: number): string {
    return join(this.folder, `${number}.json`);
  }
}
