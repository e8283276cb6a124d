import { dirname } from 'node:path';
import { DoorError, type MemberKey } from '@app/member-sdk';
import { closeDoors, openDoors, openHub, type Doors, type Note } from '../agent.js';
import type { AgentConfig } from '../config/agent-config.js';
import { StateLock } from '../state/lock.js';
import { commandContext, say, type ConfigOption } from './context.js';

/** `rotate-key`: a new key in the place of the old one, at the hub at once, at each blinder when its list has it. */
export async function rotateKey(options: ConfigOption): Promise<void> {
  const { config } = await commandContext(options);
  const finished = await changeKey(config, say);
  console.log(
    finished
      ? 'The change of keys is finished: hub and blinders take the new key, the one before is removed.'
      : 'The hub takes the new key. The one before is kept until the blinders take the new one too: a running agent ' +
          'notices by itself and then removes it; `rotate-key` looks again, `doctor` says where which key is used.',
  );
}

/**
 * Goes as far in a change of keys as it can, from wherever an earlier try stopped; begins one where none is under way.
 * @returns whether every door takes the new key; false while a blinder's list does not have it
 * @throws {DoorError} the hub's refusal; what was made is kept for the next try
 */
export async function changeKey(config: AgentConfig, note: Note): Promise<boolean> {
  const lock = await StateLock.take(dirname(config.keyFile));
  const doors = await openDoors(config);
  try {
    const { keys } = doors;
    const before = await keys.look();
    const underWay = before.previous === null || before.next !== null;
    const key = underWay ? await keys.begin(config.member) : before.current;
    note(
      `The new key is ${key.name}. Its public half, for the alliance's list of members at the blinder:\n` +
        JSON.stringify({ name: config.member, jwk: { ...key.publicJwk, kid: key.name } }),
    );
    if (underWay) {
      // An earlier try may have been ended before it knew the hub's answer, or staff may have registered the key.
      const known = before.next !== null && (await isKnown(config, key));
      if (!known) {
        const { previousValidUntil } = await doors.hub.rotateKey(key).catch((error: unknown) => {
          note(`The new key is kept in ${keys.nextPath}: run the command again to go on, or remove it to give it up.`);
          throw error;
        });
        note(`The hub takes it, and the key before until ${previousValidUntil}.`);
      }
      await keys.switch();
    }
    return await finish(config, doors, note);
  } finally {
    await closeDoors(doors);
    await lock.release();
  }
}

/** Whether the hub takes a key already. */
async function isKnown(config: AgentConfig, key: MemberKey): Promise<boolean> {
  const hub = openHub(config, key);
  try {
    await hub.lastSequence();
    return true;
  } catch (error) {
    if (error instanceof DoorError && error.code === 'UNAUTHENTICATED') return false;
    throw error;
  } finally {
    await hub.close();
  }
}

/** Tries the keys at every door, and removes the key before where none needs it. */
async function finish(config: AgentConfig, doors: Doors, note: Note): Promise<boolean> {
  const { blinders, keys } = doors;
  // The key is the new one since a moment: a session of before would go on with the old one.
  const fresh = openHub(config, keys);
  try {
    await fresh.lastSequence();
    for (const blinder of blinders)
      try {
        await blinder.tryOut(config.epoch);
        note(`The ${blinder.label} takes ${blinder.keyInUse}.`);
      } catch (error) {
        if (!(error instanceof DoorError)) throw error;
        note(`Which key the ${blinder.label} takes is not known: ${error.message}`);
      }
    return await keys.settle([fresh.keyInUse, ...blinders.map((blinder) => blinder.keyInUse)]);
  } finally {
    await fresh.close();
  }
}
