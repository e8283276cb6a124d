import { access, constants, stat } from 'node:fs/promises';
import { describeOffset, MAX_ALLOWANCE_MS, type HubClient } from '@app/member-sdk';
import { request } from 'undici';
import { closeDoors, openDoors, type Doors } from '../agent.js';
import type { AgentConfig, InputConfig } from '../config/agent-config.js';
import { sampleInput } from '../input/sample.js';
import { AS_CLASSES_DATE } from '../network/as-classes.js';
import { asTableInfo } from '../network/as-table.js';
import { makeFolder } from '../state/files.js';
import { commandContext, type ConfigOption } from './context.js';

/** A network table older than this misses many an address that has changed hands, milliseconds. */
const OLD_TABLE_MS = 180 * 86_400_000;

/** Works, but somebody should know: printed, not counted as wrong. */
class Remark extends Error {}

/** Most that this machine's clock may differ from the hub's and count as set, milliseconds. */
const MAX_SKEW_MS = 30_000;

/** `doctor`: tries everything that the agent needs, and says of each what is wrong and what to do. */
export async function doctor(options: ConfigOption): Promise<void> {
  const { config, clock } = await commandContext(options);
  let failed = 0;
  const check = async (what: string, look: () => Promise<string>) => {
    try {
      console.log(`ok    ${what}: ${await look()}`);
    } catch (error) {
      if (error instanceof Remark) return console.log(`note  ${what}: ${error.message}`);
      failed++;
      console.log(`WRONG ${what}: ${(error as Error).message}`);
    }
  };
  let doors: Doors | null = null;
  await check('configuration', async () => config.file);
  await check('key', async () => {
    doors = await openDoors(config);
    return describeKeys(doors, config);
  });
  await check('state folder', async () => {
    await makeFolder(config.stateDir);
    await access(config.stateDir, constants.W_OK);
    return config.stateDir;
  });
  if (doors !== null) await checkDoors(config, doors, check);
  await check('network classes', async () => checkNetwork(config, clock.now()));
  for (const input of config.inputs) await check(`${input.kind} ${input.path}`, () => checkInput(input, clock.now()));
  const { hook } = config.acting;
  if (hook?.url !== undefined) await check('hook', () => checkHook(hook.url!));
  if (hook?.command !== undefined)
    await check('hook', async () => {
      await access(hook.command![0]!, constants.X_OK);
      return hook.command!.join(' ');
    });
  console.log(failed === 0 ? 'Nothing is wrong.' : `${failed} ${failed === 1 ? 'thing is' : 'things are'} wrong.`);
  if (failed > 0) process.exitCode = 1;
}

async function checkDoors(
  config: AgentConfig,
  doors: Doors,
  check: (what: string, look: () => Promise<string>) => Promise<void>,
): Promise<void> {
  await check('hub', async () => {
    await doors.hub.live();
    return config.hub.url;
  });
  await check('clock', () => checkClock(doors.hub));
  await check('registration at the hub', async () => {
    const last = await doors.hub.lastSequence();
    const batches = last === 0 ? 'no batch sent yet' : `last batch has sequence ${last}`;
    return `known by ${doors.hub.keyInUse}; ${batches}`;
  });
  await check('standard', async () => {
    const standard = await doors.hub.currentStandard();
    return `version ${standard.version} in force since ${standard.effectiveFrom}`;
  });
  await check('warning lists', () => checkLists(doors));
  for (const blinder of doors.blinders)
    await check(blinder.label, async () => {
      await blinder.requireEpoch(config.epoch);
      await blinder.tryOut(config.epoch);
      const { current } = await doors.keys.look();
      const text = `offers the pinned key of epoch ${config.epoch}; knows ${config.member} by ${blinder.keyInUse}`;
      if (blinder.keyInUse === current.name) return text;
      throw new Remark(`${text}; the list there does not have the current key yet: have the alliance put it on`);
    });
  await closeDoors(doors);
}

/** Which keys there are. @throws {Error} where a change of keys stopped half-way: then somebody has to go on with it */
async function describeKeys({ keys }: Doors, config: AgentConfig): Promise<string> {
  const { current, next, previous } = await keys.look();
  if (next !== null)
    throw new Error(
      `a change of keys to ${next.name} was begun and not finished; run \`rotate-key\`, or remove ${keys.nextPath} to give it up`,
    );
  const before = previous === null ? '' : `; ${previous.name} is kept until every blinder takes the new key`;
  return `${current.name} in ${config.keyFile}${before}`;
}

/** Compares this machine's time with the hub's Date header. */
async function checkClock(hub: HubClient): Promise<string> {
  const simulated = process.env['CLOCK_FILE'] ? '; hours and deadlines go by a simulated clock (CLOCK_FILE)' : '';
  const offset = hub.clockOffsetMs;
  if (offset === null) throw new Error('cannot be compared: the hub is not reached');
  if (Math.abs(offset) <= MAX_SKEW_MS) return `within ${MAX_SKEW_MS / 1000} s of the hub's${simulated}`;
  const allowed = Math.abs(offset) <= MAX_ALLOWANCE_MS;
  const meanwhile = allowed
    ? `the agent allows for up to ${MAX_ALLOWANCE_MS / 1000} s in what it signs`
    : 'until then the hub refuses what it signs';
  throw new Error(`${describeOffset(offset)}; ${meanwhile}`);
}

async function checkLists({ hub }: Doors): Promise<string> {
  let [cursor, more, lists, entries] = [null as string | null, true, 0, 0];
  while (more) {
    const page = await hub.warningLists(cursor);
    for (const list of page.items.filter((l) => l.endedAt === null)) {
      lists++;
      entries += list.entries.length;
    }
    ({ cursor, more } = page);
  }
  return lists === 0 ? 'the alliance has none' : `${lists} with ${entries} entries`;
}

function checkNetwork({ network }: AgentConfig, now: number): string {
  if (network === 'field') return 'as the inputs say (`network: asn` looks up what they do not)';
  const { name, version, date } = asTableInfo();
  const text = `${name} ${version} of ${new Date(date).toISOString().slice(0, 10)}, classes of ${AS_CLASSES_DATE}`;
  if (now - date > OLD_TABLE_MS) throw new Remark(`${text}: the table is older than 180 days; update the agent`);
  return text;
}

async function checkInput(input: InputConfig, now: number): Promise<string> {
  const info = await stat(input.path).catch(() => null);
  if (info === null) throw new Error('does not exist (yet); check the path, and that the agent may see the folder');
  await access(input.path, constants.R_OK).catch(() => {
    throw new Error('may not be read by this user; give it read permission');
  });
  const sample = await sampleInput(input, now);
  const reasons = Object.entries(sample.refused).map(([reason, count]) => `${count} ${reason}`);
  const text = `${sample.counted} of the first ${sample.lines} lines can be used${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`;
  if (sample.lines > 0 && sample.counted === 0) throw new Error(`${text}; check the preset and the fields`);
  return text;
}

async function checkHook(url: string): Promise<string> {
  try {
    const answer = await request(url, { method: 'HEAD', signal: AbortSignal.timeout(5_000) });
    await answer.body.dump();
    return `${url} answers`;
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'no answer';
    throw new Error(`${url} cannot be reached (${why})`, { cause: error });
  }
}
