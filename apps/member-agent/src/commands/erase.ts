import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { BongsuError, Tokenizer, type ErasureReceipt } from '@app/member-sdk';
import { openDoors } from '../agent.js';
import type { AgentConfig } from '../config/agent-config.js';
import { DiskTokenCache } from '../state/disk-token-cache.js';
import { commandContext, say, type ConfigOption } from './context.js';

export interface EraseOptions extends ConfigOption {
  key?: string;
  /** Not the CI itself: other users of the machine see a command's arguments. */
  ownerFile?: string;
  erasure?: string;
  reason?: string;
}

/**
 * `erase`: has the hub erase what it holds about one own key or one owner. Only what this agent has blinded before, in
 * this epoch, can be at the hub; so nothing is blinded for it.
 */
export async function erase(options: EraseOptions): Promise<void> {
  const { config } = await commandContext(options);
  console.log(JSON.stringify(await eraseAs(config, options), null, 2));
  if (options.erasure === undefined)
    say('Take the key out of the inputs too: what is sent from now on is new to the hub.');
}

/** @throws {BongsuError} BAD_INPUT, NOT_FOUND; {DoorError} */
export async function eraseAs(config: AgentConfig, options: Omit<EraseOptions, 'config'>): Promise<ErasureReceipt> {
  const given = [options.key, options.ownerFile, options.erasure].filter((value) => value !== undefined);
  if (given.length !== 1) throw new BongsuError('BAD_INPUT', 'Give one of --key, --owner-file and --erasure.', '--key');
  const cache = await DiskTokenCache.open(join(config.stateDir, 'tokens.jsonl'), config.epoch, { readOnly: true });
  const tokenizer = new Tokenizer({ member: config.member, epoch: config.epoch, blinders: [], cache });
  const { hub, blinders } = await openDoors(config);
  try {
    if (options.erasure !== undefined) return found(await hub.erasure(options.erasure));
    const reason = options.reason?.trim();
    if (!reason) throw new BongsuError('BAD_INPUT', '--reason is needed: why, for the audit.', '--reason');
    const kind = options.key === undefined ? 'owner' : 'key';
    const token = tokenizer.lookup(kind, options.key ?? (await ownerFrom(options.ownerFile!)));
    if (!token)
      throw new BongsuError(
        'NOT_FOUND',
        `This agent has never sent this ${kind} in epoch ${config.epoch}: the hub has nothing of it from here.`,
        kind === 'key' ? '--key' : '--owner-file',
      );
    return await hub.erase(kind, token, reason);
  } finally {
    await hub.close();
    for (const blinder of blinders) await blinder.close();
  }
}

async function ownerFrom(file: string): Promise<string> {
  return (file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')).trim();
}

function found(receipt: ErasureReceipt | null): ErasureReceipt {
  if (!receipt) throw new BongsuError('NOT_FOUND', 'The hub has no erasure of yours with this id.', '--erasure');
  return receipt;
}
