import { Command } from 'commander';
import { onStop } from '@app/infrastructure/config';
import { Demo } from '../demo/demo.js';
import { holders } from '../stack/stack.js';
import { makeRunFolder } from '../stack/places.js';

/** `npm run demo` */
export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'The main job end to end, on an embedded PostgreSQL: five exchanges feed, the hub correlates, they act',
    )
    .option('--keep', 'leave everything running at the end, until Ctrl-C')
    .option('--json <file>', 'write the summary as JSON')
    .option('--blinders <count>', 'how many hold a key of the blinding: 1 or 2', '1')
    .action(async (options: { keep?: boolean; json?: string; blinders: string }) => {
      const say = (line: string) => process.stdout.write(`${line}\n`);
      const folder = await makeRunFolder('demo');
      const demo = new Demo({
        folder: folder.path,
        say,
        blinders: holders(options.blinders),
        ...(options.json ? { jsonFile: options.json } : {}),
      });
      const stop = onStop(async () => {
        await demo.stop();
        folder.remove();
      });
      let missing: string[];
      try {
        missing = await demo.run();
      } catch (error) {
        await demo.stop();
        throw error;
      }
      for (const what of missing) process.stderr.write(`The demonstration fell short: ${what}.\n`);
      if (!options.keep) return stop(missing.length > 0 ? 1 : 0);
      for (const line of ['', ...demo.doors(), 'Ctrl-C stops all of it.']) say(line);
    });
}
