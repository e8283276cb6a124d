import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BongsuError, DECLINE_REASONS, OUTCOMES, decodeToken, shortToken, type DeclineReason } from '@app/member-sdk';
import { Journal } from '../acting/journal.js';
import { DiskTokenCache } from '../state/disk-token-cache.js';
import { SwitchBoard } from '../state/switches.js';
import { commandContext, type ConfigOption } from './context.js';

/** `stop`: halts acting at once; receiving and reporting go on. `--resume` lets acting go on. */
export async function stop(options: ConfigOption & { resume?: boolean }): Promise<void> {
  const { config } = await commandContext(options);
  const switches = new SwitchBoard(config.stateDir);
  if (options.resume) await switches.resume();
  else await switches.stop('set by the command `stop`');
  console.log(options.resume ? 'Acting goes on.' : 'Acting is stopped; `stop --resume` lets it go on.');
}

/** `release ID`: lets a held recommendation go, or calls the hook again where its result was unknown. */
export async function release(id: string, options: ConfigOption): Promise<void> {
  const { config } = await commandContext(options);
  await requireCase(config.stateDir, id);
  await new SwitchBoard(config.stateDir).give(id, { order: 'release' });
  console.log(`${id} is released: a running agent acts on it at once, otherwise the next \`run\` or \`pull\` does.`);
}

/** `settle ID OUTCOME`: a person says what was done or found; it is reported to the hub. */
export async function settle(
  id: string,
  outcome: string,
  options: ConfigOption & { reason?: string; note?: string },
): Promise<void> {
  const { config } = await commandContext(options);
  const known = OUTCOMES.find((o) => o === outcome);
  if (!known) throw new BongsuError('BAD_INPUT', `OUTCOME is one of ${OUTCOMES.join(', ')}.`, 'OUTCOME');
  const reason = DECLINE_REASONS.find((r) => r === options.reason);
  if ((options.reason !== undefined || known === 'declined') && !reason)
    throw new BongsuError('BAD_INPUT', `--reason is one of ${DECLINE_REASONS.join(', ')}.`, '--reason');
  await requireCase(config.stateDir, id);
  const settled = { outcome: known, reason: (reason ?? null) as DeclineReason | null, note: options.note ?? null };
  await new SwitchBoard(config.stateDir).give(id, { order: 'settle', outcome: settled });
  console.log(
    `${id} is settled as ${known}: a running agent reports it at once, otherwise the next \`run\` or \`pull\`.`,
  );
}

async function requireCase(stateDir: string, id: string): Promise<void> {
  const journal = await Journal.open(join(stateDir, 'journal.jsonl'), { readOnly: true });
  if (!journal.cases.has(id))
    throw new BongsuError('NOT_FOUND', `This agent has received no recommendation ${id}; see \`status\`.`, 'ID');
}

/** `resolve`: which of the own access keys have these short tokens, for talks with the alliance's staff. */
export async function resolveKeys(
  shorts: string[],
  options: ConfigOption & { all?: boolean; json?: string },
): Promise<void> {
  const { config } = await commandContext(options);
  const cache = await DiskTokenCache.open(join(config.stateDir, 'tokens.jsonl'), config.epoch, { readOnly: true });
  const wanted = new Set(shorts.map((s) => s.toLowerCase()));
  if (wanted.size === 0 && !options.all)
    throw new BongsuError('BAD_INPUT', 'Name short tokens, or give --all.', 'SHORT');
  const found: { short: string; access_key: string }[] = [];
  for (const [token, accessKey] of cache.ownKeys()) {
    const short = shortToken(decodeToken(token));
    if (options.all || wanted.has(short)) found.push({ short, access_key: accessKey });
  }
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(found, null, 1)}\n`, { mode: 0o600 });
  else for (const { short, access_key } of found) console.log(`${short} ${access_key}`);
  const known = new Set(found.map((f) => f.short));
  for (const short of wanted) {
    if (known.has(short)) continue;
    console.error(`${short}: no own key has it`);
    process.exitCode = 1;
  }
}
