import { setTimeout as wait } from 'node:timers/promises';
import { BongsuError } from '@app/protocol';
import type { BlinderApi } from '../api/blinder-api.js';
import type { HubApi } from '../api/hub-api.js';

/** An epoch as the hub answers it. */
export interface EpochRow {
  number: number;
  state: 'ANNOUNCED' | 'ACTIVE' | 'CLOSING' | 'CLOSED';
  publicKeys: string[];
  closingAt: string | null;
  destroyed: { publicKey: string; destroyedAt: string; by: string }[];
}

const FIELDS = 'number state publicKeys closingAt destroyed { publicKey destroyedAt by }';

/** How the steps wait. */
export interface Patience {
  /** Until when members may take to re-enrol, milliseconds since 1970; then those that have not are left behind. */
  deadline: number | null;
  /** How long late batches are taken after the switch, milliseconds. */
  graceMs: number;
  /** Between two looks, milliseconds. */
  everyMs: number;
}

/**
 * The change of the blinding key, step by step. What has been done stands at the hub and at the blinders alone, so that
 * every step can be done again, and a rotation that was cut off goes on where it stopped.
 */
export class Rotation {
  /** When this command saw the switch, milliseconds since 1970; null where it was done before. */
  private switchedAt: number | null = null;

  /** @param blinders in the order in which members ask them */
  constructor(
    private readonly hub: HubApi,
    private readonly blinders: readonly BlinderApi[],
    private readonly say: (text: string) => void,
  ) {}

  async epochs(): Promise<EpochRow[]> {
    return (await this.hub.query<{ epochs: EpochRow[] }>(`{ epochs { ${FIELDS} } }`)).epochs;
  }

  /** Publishes the active keys where they are not, has the blinders make the next ones, and announces them. */
  async announce(): Promise<EpochRow> {
    const epochs = await this.epochs();
    const active = one(epochs, 'ACTIVE');
    const held = await Promise.all(this.blinders.map((blinder) => blinder.epochs()));
    const keysOf = (number: number) =>
      held.map((list, i) => {
        const found = list.find(({ epoch }) => epoch === number);
        if (found) return found.publicKey;
        throw new BongsuError('EPOCH_UNKNOWN', `The ${this.blinders[i]!.label} has no epoch ${number}.`);
      });
    await this.publish(active.number, keysOf(active.number));
    const prepared = await Promise.all(this.blinders.map((blinder) => blinder.prepare()));
    const wrong = prepared.findIndex(({ epoch }) => epoch !== active.number + 1);
    if (wrong >= 0)
      throw new BongsuError(
        'EPOCH_UNKNOWN',
        `The ${this.blinders[wrong]!.label} prepares epoch ${prepared[wrong]!.epoch}, the hub is in epoch ${active.number}.`,
      );
    const announced = await this.publish(active.number + 1, prepared.map(({ publicKey }) => publicKey)); // prettier-ignore
    this.say(`Epoch ${announced.number} is announced: ${announced.publicKeys.join(' ')}`);
    return announced;
  }

  /** Waits until every active member has re-enrolled, or the deadline has come. */
  async waitForMembers(number: number, { deadline, everyMs }: Patience): Promise<void> {
    let said = '';
    for (;;) {
      const { reenrolmentProgress: members } = await this.hub.query<{
        reenrolmentProgress: { member: string; pairs: number; completedAt: string | null }[];
      }>('query ($epoch: Int!) { reenrolmentProgress(epoch: $epoch) { member pairs completedAt } }', { epoch: number });
      const text = members.map((m) => `${m.member} ${m.pairs}${m.completedAt ? ' (done)' : ''}`).join(', ');
      if (text !== said) this.say(`Re-enrolled for epoch ${number}: ${text || 'there is no member'}`);
      said = text;
      const missing = members.filter((member) => member.completedAt === null);
      if (missing.length === 0) return;
      if (deadline !== null && Date.now() >= deadline)
        return this.say(`Left behind for now: ${missing.map((m) => m.member).join(', ')}. They can still re-enrol.`);
      await wait(everyMs);
    }
  }

  /** Makes the announced epoch the active one, at the hub and then at the blinders. */
  async switch(number: number, { everyMs }: Patience): Promise<void> {
    const before = (await this.epochs()).find((epoch) => epoch.number === number)?.state;
    await this.hub.query('mutation ($number: Int!) { switchEpoch(number: $number) { state } }', { number });
    await this.until(number, 'ACTIVE', everyMs);
    if (before !== 'ACTIVE') this.switchedAt = Date.now();
    for (const blinder of this.blinders) await blinder.activate(number);
    this.say(`Epoch ${number} is active.`);
  }

  /** Waits for late batches and late members, then closes the old epoch. */
  async close(number: number, { graceMs, everyMs }: Patience): Promise<void> {
    const epoch = (await this.epochs()).find((found) => found.number === number);
    if (epoch?.state === 'CLOSING') {
      const until = (this.switchedAt ?? Date.parse(epoch.closingAt!)) + graceMs;
      const left = until - Date.now();
      if (left > 0) {
        this.say(`Late batches of epoch ${number} are taken for ${Math.ceil(left / 1000)} s.`);
        await wait(left);
      }
      for (;;) {
        const { backlog } = await this.hub.query<{ backlog: { batchesToFold: number } }>(
          '{ backlog { batchesToFold } }',
        );
        if (backlog.batchesToFold === 0) break;
        await wait(everyMs);
      }
    }
    await this.hub.query('mutation ($number: Int!) { closeEpoch(number: $number) { state } }', { number });
    await this.until(number, 'CLOSED', everyMs);
    this.say(`Epoch ${number} is closed.`);
  }

  /** Has every holder destroy its key of a closed epoch, and enters their words at the hub. */
  async destroy(number: number): Promise<void> {
    for (const blinder of this.blinders) {
      const { publicKey, at, by, auditSeq } = await blinder.destroy(number);
      await this.hub.query(
        'mutation ($input: RecordDestructionInput!) { recordKeyDestruction(input: $input) { number } }',
        { input: { number, publicKey, destroyedAt: at, by, auditSeq } },
      );
      this.say(`The ${blinder.label} has destroyed its key of epoch ${number}: ${publicKey}, entry ${auditSeq}, ${at}`);
    }
  }

  /** All of it, from wherever it stands. */
  async run(patience: Patience): Promise<void> {
    let epochs = await this.epochs();
    const unfinished = epochs.find(
      ({ state, publicKeys, destroyed }) =>
        state === 'CLOSING' || (state === 'CLOSED' && destroyed.length < publicKeys.length),
    );
    if (!unfinished) {
      const announced = one(epochs, 'ANNOUNCED', false) ?? (await this.announce());
      await this.waitForMembers(announced.number, patience);
      await this.switch(announced.number, patience);
      epochs = await this.epochs();
    } else await this.switch(one(epochs, 'ACTIVE').number, patience);
    const going = unfinished ?? one(epochs, 'CLOSING');
    await this.close(going.number, patience);
    await this.destroy(going.number);
  }

  private async publish(number: number, publicKeys: string[]): Promise<EpochRow> {
    const { announceEpoch } = await this.hub.query<{ announceEpoch: EpochRow }>(
      `mutation ($input: AnnounceEpochInput!) { announceEpoch(input: $input) { ${FIELDS} } }`,
      { input: { number, publicKeys } },
    );
    return announceEpoch;
  }

  private async until(number: number, state: EpochRow['state'], everyMs: number): Promise<void> {
    while ((await this.epochs()).find((epoch) => epoch.number === number)?.state !== state) await wait(everyMs);
  }
}

function one(epochs: readonly EpochRow[], state: EpochRow['state']): EpochRow;
function one(epochs: readonly EpochRow[], state: EpochRow['state'], needed: false): EpochRow | undefined;
function one(epochs: readonly EpochRow[], state: EpochRow['state'], needed = true): EpochRow | undefined {
  const found = epochs.find((epoch) => epoch.state === state);
  if (!found && needed) throw new BongsuError('EPOCH_UNKNOWN', `The hub has no epoch that is ${state.toLowerCase()}.`);
  return found;
}
