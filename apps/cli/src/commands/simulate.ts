import { Command, InvalidArgumentError } from 'commander';
import { writePopulation } from '@app/simulation';

/** An option that is a whole number within bounds. */
export function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`It needs a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** `npm run simulate -- …` */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('Write a labelled population (docs/formats.md)')
    .requiredOption('--out <dir>', 'directory to write')
    .option('--owners <n>', 'people', wholeNumber(10, 1_000_000), 1500)
    .option('--days <n>', 'days', wholeNumber(1, 365), 30)
    .option('--seed <n>', 'the same seed gives the same population', wholeNumber(0, 2 ** 31), 1)
    .option('--distribution <a|b>', 'set of assumptions: a for fitting, b for judging', 'a')
    .action(async (options: { out: string; owners: number; days: number; seed: number; distribution: 'a' | 'b' }) => {
      const { out, ...rest } = options;
      const done = await writePopulation(out, rest, ({ day, days, usage }) =>
        process.stderr.write(`\rday ${day} of ${days}: ${usage} observations `),
      );
      process.stderr.write('\n');
      process.stdout.write(`${out}: ${done.keys} keys (${done.lent} lent), ${done.usage} observations\n`);
    });
}
