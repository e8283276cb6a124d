import { readFile } from 'node:fs/promises';
import { parseKeyLine } from '../input/key-line.js';

/**
 * The owners that a list of keys names. The token cache knows owners by a hash alone, so their values come from here.
 * @param path of a `keys.jsonl`; one that is not there names nobody
 */
export async function ownersIn(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const owners = new Set<string>();
  for (const line of text.split('\n'))
    try {
      owners.add(parseKeyLine(line.trim()).owner);
    } catch {
      // A line that is refused was never sent.
    }
  return [...owners];
}
