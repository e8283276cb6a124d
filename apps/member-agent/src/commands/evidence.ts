import { join } from 'node:path';
import { decodeToken, shortToken } from '@app/member-sdk';
import { Journal } from '../acting/journal.js';
import { openDoors } from '../agent.js';
import { DiskTokenCache } from '../state/disk-token-cache.js';
import { commandContext, say, type ConfigOption } from './context.js';

/** `evidence ID`: everything there is on one recommendation, as JSON. */
export async function evidence(id: string, options: ConfigOption): Promise<void> {
  const { config } = await commandContext(options);
  const journal = await Journal.open(join(config.stateDir, 'journal.jsonl'), { readOnly: true });
  const own = journal.cases.get(id);
  const doors = await openDoors(config);
  const hub = await doors.hub.recommendation(id).catch((error: Error) => {
    say(error.message);
    return null;
  });
  await doors.hub.close();
  const token = own?.token ?? hub?.key;
  if (token === undefined) {
    say(`No recommendation ${id} for ${config.member}.`);
    process.exitCode = 1;
    return;
  }
  const cache = await DiskTokenCache.open(join(config.stateDir, 'tokens.jsonl'), config.epoch, { readOnly: true });
  const key = { accessKey: cache.accessKeyOf(token) ?? null, short: shortToken(decodeToken(token)), token };
  console.log(JSON.stringify({ id, key, hub, agent: own ?? null }, null, 2));
}
