import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatePopulation } from './population.js';
import { readDescription, readGroups, readKeys, readTruth, readUsage, writePopulation } from './population-files.js';

const OPTIONS = { owners: 40, days: 2, seed: 3 };

describe('a population directory', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'population-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('reads back as it was generated', async () => {
    const progress: number[] = [];
    const written = await writePopulation(dir, OPTIONS, ({ day }) => progress.push(day));
    expect(progress).toEqual([0, 1, 2]);

    const population = generatePopulation(OPTIONS);
    expect(await all(readTruth(dir))).toEqual([...population.truth()]);
    expect(await all(readGroups(dir))).toEqual([...population.groups()]);
    let usage = 0;
    for (const member of population.members) {
      const keys = [...population.keys()].filter((entry) => entry.member === member).map(({ key }) => key);
      expect(await all(readKeys(dir, member))).toEqual(keys);
      const rows = [...population.usage()].filter((entry) => entry.member === member).flatMap((entry) => entry.usage);
      expect(await all(readUsage(dir, member))).toEqual(rows);
      usage += rows.length;
    }
    expect(await readDescription(dir)).toEqual({ options: population.options, ...population.counts, usage });
    expect(written.usage).toBe(usage);
  });

  it('says which file is missing', async () => {
    await expect(all(readUsage(dir, 'elsewhere'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      where: join(dir, 'elsewhere', 'usage.jsonl'),
    });
    expect(await readDescription(join(dir, 'elsewhere'))).toBeUndefined();
    expect(await all(readGroups(join(dir, 'elsewhere')))).toEqual([]);
  });

  it('says which line is not JSON', async () => {
    const other = await mkdtemp(join(tmpdir(), 'population-'));
    try {
      await writeFile(join(other, 'truth.jsonl'), '{"member":"upbit"}\n{"member":\n');
      await expect(all(readTruth(other))).rejects.toMatchObject({
        code: 'BAD_INPUT',
        where: `${join(other, 'truth.jsonl')}:2`,
      });
    } finally {
      await rm(other, { recursive: true });
    }
  });

  it('fails with the cause when it cannot be written', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(writePopulation(join(dir, 'file', 'below'), OPTIONS)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of source) list.push(item);
  return list;
}
