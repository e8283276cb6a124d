import {
  DoorError,
  Tokenizer,
  type BlinderClient,
  type HubClient,
  type HubEpoch,
  type RawValue,
  type TokenPair,
} from '@app/member-sdk';
import { Backoff } from '../pipeline/backoff.js';
import type { DiskTokenCache } from '../state/disk-token-cache.js';
import type { EpochMemory } from './epoch-file.js';

/** Values blinded and told between two looks at whether to stop. */
const VALUES_A_STEP = 500;
/** Pairs in one call; the hub takes 1,000. */
const PAIRS_A_CALL = 500;

/** What the change of epochs works with. */
export interface EpochParts {
  hub: HubClient;
  blinders: readonly BlinderClient[];
  tokenizer: Tokenizer;
  cache: DiskTokenCache;
  member: string;
  /** Values of owners: the cache knows them by a hash alone. */
  owners: () => Promise<string[]>;
  /** Whether everything that was spooled under the old key is at the hub. */
  allSent: () => boolean;
  memory: EpochMemory;
  save: (memory: EpochMemory) => Promise<void>;
  note: (text: string) => void;
}

/** The change in words and numbers, for the status. */
export interface EpochStatus {
  current: number;
  /** Null while none is announced. */
  coming: { number: number; state: string; pairs: number; told: number } | null;
}

/**
 * Follows the alliance from one blinding key to the next. While an epoch is announced, every value known under the
 * current key is blinded under the one that comes, and the hub is told both tokens. After the switch the rest is told,
 * and only when the hub has carried everything over does the agent send under the new key. Tokens are on disk before the
 * hub hears of them, and telling the same again is fine: a kill at any point is made good by going on.
 */
export class EpochChange {
  private readonly retry = new Backoff(1000, 60_000);
  /** Batches that the hub has and has not folded yet, as far as this process knows. */
  private readonly unfolded = new Set<string>();
  /** Pairs that the hub has, by kind and token of the current epoch. */
  private readonly told = new Set<string>();
  private coming: HubEpoch | null = null;
  private next: Tokenizer | null = null;
  private pairs = 0;
  private memory: EpochMemory;
  /** Why the change does not go on; null while it does, or there is none. */
  trouble: string | null = null;

  constructor(private readonly parts: EpochParts) {
    this.memory = parts.memory;
  }

  get status(): EpochStatus {
    const { coming } = this;
    return {
      current: this.memory.current,
      coming: coming && { number: coming.number, state: coming.state, pairs: this.pairs, told: this.told.size },
    };
  }

  /** Remembers a batch that the hub has taken: before its rows are folded, its values cannot be told. */
  taken(batchId: string): void {
    this.unfolded.add(batchId);
  }

  /** Whether the new key is the active one and this agent has not gone over to it: nothing is read until it has. */
  get turning(): boolean {
    return this.coming?.state === 'ACTIVE';
  }

  /** Looks for a change, and tells what is known under the current key while the next one is announced. */
  round(stopped: () => boolean): Promise<void> {
    return this.attempt(async () => {
      await this.look();
      if (this.coming !== null && !this.turning) await this.tellAll(stopped);
    });
  }

  /** After the switch: goes over to the new key. Only between two readings: no batch has tokens of two epochs. */
  goOver(stopped: () => boolean): Promise<void> {
    return this.attempt(() => this.turn(stopped));
  }

  /** Trouble is kept in words and tried again later. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    if (!this.retry.due) return;
    try {
      await work();
      this.trouble = null;
      this.retry.reset();
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      this.retry.failed(error.retryAfterMs);
      const text = `The change to another blinding key does not go on: ${error.message}`;
      if (this.trouble !== text) this.parts.note(text);
      this.trouble = text;
    }
  }

  private async look(): Promise<void> {
    const { hub, note } = this.parts;
    const epochs = await hub.epochs();
    // Read after the wait: the agent may have gone over meanwhile.
    const { current } = this.memory;
    this.confirmOrder(epochs.find((epoch) => epoch.number === current));
    const coming =
      epochs.find(({ number, state }) => number > current && (state === 'ANNOUNCED' || state === 'ACTIVE')) ?? null;
    if (coming && coming.number !== this.coming?.number) {
      await this.confirm(coming);
      this.told.clear();
      this.next = null;
      note(`Epoch ${coming.number} is announced: the values known here are blinded under its key too.`);
    }
    this.coming = coming;
  }

  /** A member that leaves a holder out, or asks another one, would make tokens that equal nobody's. */
  private confirmOrder(published: HubEpoch | undefined): void {
    if (!published || published.publicKeys.length === 0) return;
    const own = this.parts.blinders.map((blinder) => blinder.pinnedKey(published.number));
    if (own.join() === published.publicKeys.join()) return;
    throw new DoorError(
      'blinder',
      'EPOCH_MISMATCH',
      `The hub publishes other holders, or another order, for epoch ${published.number} than the configuration's ` +
        'blinders. Put them into the published order; with other holders tokens equal nobody else’s.',
    );
  }

  /**
   * Takes new keys on only where the hub publishes them for all, and every blinder offers the same: a blinder cannot give
   * one member a key of its own.
   */
  private async confirm({ number, publicKeys }: HubEpoch): Promise<void> {
    const { blinders, save } = this.parts;
    if (publicKeys.length !== blinders.length)
      throw new DoorError(
        'hub',
        'EPOCH_MISMATCH',
        `Epoch ${number} has ${publicKeys.length} holders, the configuration ${blinders.length}: ask the alliance.`,
      );
    for (const [i, blinder] of blinders.entries()) {
      blinder.pin(number, new Uint8Array(Buffer.from(publicKeys[i]!, 'base64url')));
      await blinder.requireEpoch(number);
    }
    this.memory = { ...this.memory, keys: { ...this.memory.keys, [number]: publicKeys } };
    await save(this.memory);
  }

  /** Blinds and tells what is known under the current key. @returns whether all of it is told or has nothing to tell */
  private async tellAll(stopped: () => boolean, last = false): Promise<boolean> {
    const { cache, hub, member, blinders, tokenizer, owners } = this.parts;
    const { number } = this.coming!;
    this.next ??= new Tokenizer({ member, epoch: number, blinders, cache });
    const values: RawValue[] = [
      ...cache.valuesOf(tokenizer.epoch),
      ...(await owners()).map((value): RawValue => ({ kind: 'owner', value })),
    ];
    for (let from = 0; from < values.length; from += VALUES_A_STEP) {
      if (stopped()) return false;
      await this.next.tokenize(values.slice(from, from + VALUES_A_STEP));
    }
    const waiting: { id: string; pair: TokenPair }[] = [];
    this.pairs = 0;
    for (const { kind, value } of values) {
      const old = tokenizer.lookup(kind, value);
      const fresh = this.next.lookup(kind, value);
      if (!old || !fresh) continue;
      this.pairs++;
      const id = `${kind} ${Buffer.from(old).toString('base64url')}`;
      if (!this.told.has(id)) waiting.push({ id, pair: { kind, old, new: fresh } });
    }
    for (let from = 0; from < waiting.length; from += PAIRS_A_CALL) {
      if (stopped()) return false;
      const some = waiting.slice(from, from + PAIRS_A_CALL);
      const { refused } = await hub.reenroll(number, some.map(({ pair }) => pair), false); // prettier-ignore
      // What is not folded yet is told again, for as long as something may still be folded.
      const again = new Set(refused.filter((r) => r.code === 'NOT_FOUND' && !last).map((r) => r.index));
      some.forEach(({ id }, i) => {
        if (!again.has(i)) this.told.add(id);
      });
    }
    await hub.reenroll(number, [], true);
    return true;
  }

  /** After the switch: the old key's batches first, then what is left to tell, then over to the new key. */
  private async turn(stopped: () => boolean): Promise<void> {
    const { hub, tokenizer, save, note, allSent } = this.parts;
    const { number } = this.coming!;
    if (!allSent()) return;
    for (const id of this.unfolded) {
      if ((await hub.batch(id))?.state === 'STORED') return;
      this.unfolded.delete(id);
    }
    try {
      if (!(await this.tellAll(stopped, true))) return;
      if ((await hub.reenroll(number, [], true)).pending > 0) return;
    } catch (error) {
      // The old epoch is closed: nothing more is carried over.
      if (!(error instanceof DoorError && error.code === 'EPOCH_UNKNOWN')) throw error;
      note(`Epoch ${this.memory.current} was closed before this agent had told all its values.`);
    }
    this.memory = { ...this.memory, current: number };
    await save(this.memory);
    tokenizer.switchTo(number);
    this.coming = null;
    this.next = null;
    note(`Sending under the key of epoch ${number} from now on.`);
  }
}
