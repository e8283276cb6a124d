import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { runMain } from '@app/infrastructure/config';
import { evaluation } from './evaluation.js';
import { measure, type BenchResult } from './ratio.js';

const BENCHES = [evaluation];

await runMain('bench', async () => {
  const command = new Command('bench')
    .description('Measure ratios against their goals, both sides of each in this run')
    .option('--json <file>', 'also write the results as JSON')
    .option('--only <text>', 'only ratios whose name contains this')
    .showHelpAfterError()
    .parse();
  const { json, only } = command.opts<{ json?: string; only?: string }>();
  const chosen = BENCHES.filter((bench) => bench.name.includes(only ?? ''));
  if (chosen.length === 0) command.error(`No ratio's name contains "${only}".`);
  const results: BenchResult[] = [];
  for (const bench of chosen) {
    const result = await measure(bench, (round) => process.stderr.write(`\r${bench.name}: ${round}/${bench.rounds} `));
    process.stderr.write('\n');
    process.stdout.write(`${line(result)}\n`);
    results.push(result);
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  const missed = results.filter((result) => !result.met).length;
  process.stdout.write(`${results.length - missed} of ${results.length} goals met\n`);
});

function line({ name, ratio, goal, met, ours, theirs, unit }: BenchResult): string {
  const figure = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
  return `${met ? 'met   ' : 'missed'} ${figure(ratio)} (goal ≥ ${goal})  ${name}: ${figure(ours)} against ${figure(theirs)} ${unit}`;
}
