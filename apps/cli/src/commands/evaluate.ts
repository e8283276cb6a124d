import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Command } from 'commander';
import { onStop } from '@app/infrastructure/config';
import { BongsuError, POPULATION_MEMBERS, type TruthRecord } from '@app/protocol';
import {
  BaselineCollector,
  formatTable,
  readGroups,
  readKeys,
  readTruth,
  readUsage,
  score,
  type JudgedPopulation,
  type KeyResult,
} from '@app/simulation';
import { engineOnly } from '../evaluate/engine-only.js';
import { RealPath, type Evaluated } from '../evaluate/real-path.js';
import { Feed } from '../live/feed.js';
import type { Progress } from '../live/population.js';
import { makeRunFolder } from '../stack/places.js';
import { wholeNumber } from './simulate.js';

interface EvaluateOptions {
  population: string[];
  engineOnly?: boolean;
  json?: string;
  step: number;
}

interface Lived {
  dir: string;
  truth: TruthRecord[];
  evaluated: Evaluated & { alone?: KeyResult[] };
  seconds: number;
  judged: JudgedPopulation;
}

/** `npm run evaluate -- …` */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('Score the detection on labelled populations, lived through in simulated time on the real path')
    .requiredOption(
      '--population <dir>',
      'population directory; may be given more than once, results are pooled',
      (dir: string, dirs?: string[]) => [...(dirs ?? []), dir],
    )
    .option('--engine-only', 'skip agents, blinding, HTTP and database: the same engine on the same rows')
    .option('--step <hours>', 'simulated time between two assessments', wholeNumber(1, 168), 24)
    .option('--json <file>', 'write the result as JSON, with a line per key in a file beside it')
    .action(evaluate);
}

async function evaluate(options: EvaluateOptions): Promise<void> {
  const folder = await makeRunFolder('evaluate');
  let running: RealPath | null = null;
  const stop = onStop(async () => {
    await running?.stop();
    folder.remove();
  });
  const lived: Lived[] = [];
  try {
    for (const [i, dir] of options.population.entries())
      lived.push(await live(dir, join(folder.path, String(i)), options, (path) => (running = path)));
  } catch (error) {
    await (running as RealPath | null)?.stop();
    folder.remove();
    throw error;
  }
  process.stderr.write('scoring …\n');
  const scores = score(lived.map((one) => one.judged));
  process.stdout.write(`${formatTable(scores)}\n`);
  const observations = lived.reduce((sum, one) => sum + one.evaluated.observations, 0);
  const seconds = lived.reduce((sum, one) => sum + one.seconds, 0);
  process.stdout.write(
    `${observations} observations in ${seconds.toFixed(0)} s: ${Math.round(observations / seconds)} a second` +
      `${options.engineOnly ? ' (engine only)' : ''}\n`,
  );
  if (options.json)
    writeResults(options.json, lived, {
      ...scores,
      observations,
      seconds,
      observations_per_second: observations / seconds,
    });
  stop(0);
}

async function live(
  dir: string,
  folder: string,
  options: EvaluateOptions,
  onStart: (path: RealPath | null) => void,
): Promise<Lived> {
  const say = (text: string) => process.stderr.write(`${dir}: ${text}\n`);
  say('reading');
  const truth: TruthRecord[] = [];
  for await (const record of readTruth(dir)) truth.push(record);
  const feed = await Feed.cut(dir, POPULATION_MEMBERS, options.step, join(folder, 'feed'));
  const began = performance.now();
  const onProgress = ({ step, steps, at }: Progress) =>
    say(`${at.slice(0, 16)}, step ${step} of ${steps}, ${((performance.now() - began) / 1000).toFixed(0)} s`);
  let evaluated: Lived['evaluated'];
  if (options.engineOnly) evaluated = await engineOnly(dir, feed, onProgress);
  else {
    const path = new RealPath(dir, feed, folder);
    onStart(path);
    evaluated = await path.run(onProgress);
    await path.stop();
    onStart(null);
  }
  const seconds = (performance.now() - began) / 1000;
  if (evaluated.rejected > 0) say(`${evaluated.rejected} rows were refused by the hub`);
  return { dir, truth, evaluated, seconds, judged: await judgedOf(dir, truth, evaluated) };
}

async function judgedOf(dir: string, truth: TruthRecord[], evaluated: Lived['evaluated']): Promise<JudgedPopulation> {
  const baselines = new BaselineCollector();
  for (const member of POPULATION_MEMBERS) {
    for await (const key of readKeys(dir, member)) baselines.key(member, key);
    for await (const usage of readUsage(dir, member)) baselines.usage(member, usage);
  }
  const groups = new Map<string, number>();
  for await (const { member, access_key, group } of readGroups(dir)) groups.set(`${member}/${access_key}`, group);
  return {
    name: dir,
    truth,
    results: evaluated.results,
    baselines: baselines.scores(),
    ...(groups.size > 0 ? { groups } : {}),
    ...(evaluated.alone ? { alone: evaluated.alone } : {}),
  };
}

/** The result, and beside it a line for every key of the truth, also those that the hub never heard of. */
function writeResults(file: string, lived: readonly Lived[], result: object): void {
  const perKey = `${basename(file).replace(/\.json$/, '')}.per-key.jsonl`;
  const lines = lived.flatMap(({ dir, truth, evaluated }) => {
    const results = new Map(evaluated.results.map((r) => [`${r.member}/${r.access_key}`, r]));
    return truth.map(({ member, access_key }) => {
      const { history, probability, reasons } = results.get(`${member}/${access_key}`) ?? {
        history: [],
        probability: 0,
        reasons: [],
      };
      return JSON.stringify({ population: dir, member, access_key, history, probability, reasons });
    });
  });
  try {
    writeFileSync(join(dirname(file), perKey), lines.map((line) => `${line}\n`).join(''));
    writeFileSync(file, `${JSON.stringify({ ...result, per_key: perKey }, null, 2)}\n`);
  } catch (error) {
    throw new BongsuError('BAD_INPUT', `${file} cannot be written: ${(error as Error).message}`, '--json');
  }
}
