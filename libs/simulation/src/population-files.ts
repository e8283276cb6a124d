import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { BongsuError, POPULATION_MEMBERS, type KeyRecord, type TruthRecord, type UsageRecord } from '@app/protocol';
import { generatePopulation, type GroupRecord, type PopulationOptions, type PopulationStream } from './population.js';

/** How far a population has been written. */
export interface WriteProgress {
  /** Days done, of `days`. */
  day: number;
  days: number;
  keys: number;
  lent: number;
  usage: number;
}

/** `population.json`: what a population was made from, and how much came out. */
export interface PopulationDescription {
  options: PopulationStream['options'];
  keys: number;
  lent: number;
  usage: number;
}

/**
 * Writes a population directory (docs/formats.md), replacing files of the same names.
 * `population.json` is written last: without it the directory is not complete.
 * @param onProgress called after the keys, then after every day
 */
export async function writePopulation(
  dir: string,
  options: PopulationOptions,
  onProgress: (progress: WriteProgress) => void = () => undefined,
): Promise<PopulationDescription> {
  const population = generatePopulation(options);
  const { days } = population.options;
  const { keys, lent } = population.counts;
  let usage = 0;
  const open = new Map<string, LineWriter>();
  const file = (...path: string[]) => {
    const name = join(dir, ...path);
    let writer = open.get(name);
    if (!writer) open.set(name, (writer = new LineWriter(name)));
    return writer;
  };
  for (const member of population.members) await mkdir(join(dir, member), { recursive: true });
  try {
    for (const { member, key } of population.keys()) await file(member, 'keys.jsonl').write(key);
    for (const record of population.truth()) await file('truth.jsonl').write(record);
    for (const record of population.groups()) await file('groups.jsonl').write(record);
    onProgress({ day: 0, days, keys, lent, usage });
    for (const part of population.usage()) {
      const writer = file(part.member, 'usage.jsonl');
      for (const record of part.usage) await writer.write(record);
      usage += part.usage.length;
      if (part.member === population.members.at(-1)) onProgress({ day: part.day + 1, days, keys, lent, usage });
    }
    for (const member of population.members) file(member, 'keys.jsonl');
    for (const writer of open.values()) await writer.close();
  } finally {
    for (const writer of open.values()) writer.abandon();
  }
  const description: PopulationDescription = { options: population.options, keys, lent, usage };
  await writeFile(join(dir, 'population.json'), JSON.stringify(description, null, 2) + '\n');
  return description;
}

/** Lines of JSON into a file, in blocks, waiting where the disk is slower. */
class LineWriter {
  private static readonly blockChars = 64 * 1024;
  private readonly stream: WriteStream;
  private block = '';
  private failure: Error | undefined;

  constructor(path: string) {
    this.stream = createWriteStream(path);
    this.stream.on('error', (error) => (this.failure = error));
  }

  write(record: unknown): Promise<void> | undefined {
    this.block += JSON.stringify(record) + '\n';
    return this.block.length < LineWriter.blockChars ? undefined : this.flush();
  }

  async close(): Promise<void> {
    await this.flush();
    await new Promise<void>((resolve, reject) => {
      this.stream.once('error', reject);
      this.stream.end(() => resolve());
    });
  }

  abandon(): void {
    this.stream.destroy();
  }

  private async flush(): Promise<void> {
    if (this.failure) throw this.failure;
    const text = this.block;
    this.block = '';
    // once() rejects when the stream fails instead of draining.
    if (!this.stream.write(text)) await once(this.stream, 'drain');
  }
}

/** The truth of a population directory, line by line. */
export function readTruth(dir: string): AsyncGenerator<TruthRecord> {
  return readLines(join(dir, 'truth.jsonl'));
}

/** Which keys hang together, where the simulator wrote the directory; nothing where it was made elsewhere. */
export async function* readGroups(dir: string): AsyncGenerator<GroupRecord> {
  try {
    yield* readLines<GroupRecord>(join(dir, 'groups.jsonl'));
  } catch (error) {
    if (!(error instanceof BongsuError && error.code === 'NOT_FOUND')) throw error;
  }
}

/** The keys of one member. */
export function readKeys(dir: string, member: string): AsyncGenerator<KeyRecord> {
  return readLines(join(dir, member, 'keys.jsonl'));
}

/** The usage of one member, in the order of the file: by hour. */
export function readUsage(dir: string, member: string): AsyncGenerator<UsageRecord> {
  return readLines(join(dir, member, 'usage.jsonl'));
}

/** The members that a population directory may hold. */
export function populationMembers(): readonly string[] {
  return POPULATION_MEMBERS;
}

/** What a population was made from, or undefined where it was made elsewhere and says nothing. */
export async function readDescription(dir: string): Promise<PopulationDescription | undefined> {
  try {
    return JSON.parse(await readFile(join(dir, 'population.json'), 'utf8')) as PopulationDescription;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws {BongsuError} NOT_FOUND without the file, BAD_INPUT with its name and line where a line is not JSON */
async function* readLines<T>(path: string): AsyncGenerator<T> {
  const input = createReadStream(path, { highWaterMark: 1 << 18 });
  const opened = await Promise.race([
    once(input, 'open').then(() => true),
    once(input, 'close').then(() => false),
  ]).catch((error: unknown) => error as Error);
  if (opened !== true)
    throw new BongsuError(
      'NOT_FOUND',
      `${path} cannot be read: ${opened instanceof Error ? opened.message : 'closed'}.`,
      path,
    );
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      line++;
      if (text === '') continue;
      yield parse<T>(text, path, line);
    }
  } finally {
    input.destroy();
  }
}

function parse<T>(text: string, path: string, line: number): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new BongsuError(
      'BAD_INPUT',
      `${path}, line ${line}: not JSON (${(error as Error).message}).`,
      `${path}:${line}`,
    );
  }
}
