import { createHash } from 'node:crypto';
import { blind, BlindingError, finalizeChain, type BlindState, type Hop } from '@app/blinding';
import { TOKEN_BYTES, TOKEN_KINDS, tokenInput, type TokenKind } from '@app/protocol';
import type { BlinderClient } from './blinder-client.js';
import { DoorError } from './errors.js';
import type { TokenCache, TokenEntry } from './token-cache.js';

/** A raw value that has no token yet. */
export interface RawValue {
  kind: TokenKind;
  value: string;
}

export interface TokenizerOptions {
  /** Keys are blinded with it, so equal key strings at two members differ. */
  member: string;
  epoch: number;
  /** One blinder, or two that are asked one after the other (the token is under the product of their keys). */
  blinders: readonly BlinderClient[];
  cache: TokenCache;
  /** Elements in one call; {@link CHUNK} unless given. */
  chunk?: number;
}

/** Elements in one call: some 50 ms of this process's time, in which it does nothing else (`monitorEventLoopDelay`). */
const CHUNK = 50;
const UTF8 = new TextDecoder();

/**
 * Turns raw values into tokens. {@link lookup} answers from memory only and is fast; {@link tokenize} asks the blinders
 * for what is new and keeps it. A token object is one and the same for a value, however the value was written, so
 * callers may compare tokens by identity.
 */
export class Tokenizer {
  /** By kind: raw text as met → token. Several spellings of one value share a token object. */
  private readonly known = new Map<TokenKind, Map<string, Uint8Array>>(TOKEN_KINDS.map((k) => [k, new Map()]));
  /** By kind: canonical value → token: what gives spellings their shared object. */
  private readonly shared = new Map<string, Uint8Array>();

  private current: number;

  constructor(private readonly options: TokenizerOptions) {
    this.current = options.epoch;
  }

  get epoch(): number {
    return this.current;
  }

  /** Makes tokens of another epoch from now on. Not while a batch is being put together. */
  switchTo(epoch: number): void {
    this.current = epoch;
    this.shared.clear();
    for (const spellings of this.known.values()) spellings.clear();
  }

  /**
   * The token of a value, if it has been made before.
   * @throws {BongsuError} BAD_INPUT when the value cannot be one of its kind (not an address, empty, overlong)
   */
  lookup(kind: TokenKind, value: string): Uint8Array | undefined {
    const spellings = this.known.get(kind)!;
    const token = spellings.get(value);
    if (token !== undefined) return token;
    const { cacheKey } = this.inputOf(kind, value);
    const id = `${kind}\0${cacheKey}`;
    let found = this.shared.get(id);
    if (found === undefined) {
      found = this.options.cache.get(kind, cacheKey, this.current);
      if (found === undefined) return undefined;
      this.shared.set(id, found);
    }
    spellings.set(value, found);
    return found;
  }

  /**
   * Makes the tokens of values that have none, in calls of at most `chunk`; every chunk is kept before the next is
   * asked for, so a failure loses nothing that was paid for.
   * @returns how many were new
   * @throws {DoorError} from the first call that failed; {BongsuError} BAD_INPUT as {@link lookup}
   */
  async tokenize(values: readonly RawValue[]): Promise<number> {
    const wanted = new Map<string, { kind: TokenKind; cacheKey: string; input: Uint8Array }>();
    for (const { kind, value } of values) {
      if (this.lookup(kind, value) !== undefined) continue;
      const { cacheKey, input } = this.inputOf(kind, value);
      wanted.set(`${kind}\0${cacheKey}`, { kind, cacheKey, input });
    }
    const list = [...wanted.values()];
    const size = this.options.chunk ?? CHUNK;
    for (let from = 0; from < list.length; from += size) {
      const chunk = list.slice(from, from + size);
      const tokens = await this.evaluate(chunk.map((w) => w.input));
      const entries = chunk.map((w, i): TokenEntry => ({
        kind: w.kind,
        value: w.cacheKey,
        epoch: this.current,
        token: tokens[i]!,
      }));
      await this.options.cache.put(entries);
    }
    return list.length;
  }

  private async evaluate(inputs: Uint8Array[]): Promise<Uint8Array[]> {
    if (this.options.blinders.length === 0)
      throw new DoorError('blinder', 'UNAVAILABLE', 'No blinder is configured, so no new value can become a token.');
    const { state, blinded } = blind(inputs);
    const hops: Hop[] = [];
    let elements: readonly Uint8Array[] = blinded;
    for (const blinder of this.options.blinders) {
      const hop = await blinder.evaluate(this.current, elements);
      hops.push(hop);
      elements = hop.evaluated;
    }
    return this.finalize(state, hops).map((output) => output.slice(0, TOKEN_BYTES));
  }

  /** Checks every proof and takes the blinds off; where a proof fails, says whose. */
  private finalize(state: BlindState, hops: readonly Hop[]): Uint8Array[] {
    try {
      return finalizeChain(state, hops);
    } catch (error) {
      if (!(error instanceof BlindingError)) throw error;
      let sent = state.blinded;
      this.options.blinders.forEach((blinder, i) => {
        blinder.requireProof(this.current, sent, hops[i]!);
        sent = hops[i]!.evaluated;
      });
      throw error;
    }
  }

  /**
   * The bytes to blind, and the name under which the cache keeps the token: the canonical value; for an owner its
   * SHA-256, since a person's number need not lie in one more file.
   */
  private inputOf(kind: TokenKind, value: string): { input: Uint8Array; cacheKey: string } {
    const input = tokenInput(kind, value, this.options.member);
    if (kind === 'owner') return { input, cacheKey: createHash('sha256').update(input).digest('base64url') };
    return { input, cacheKey: UTF8.decode(input.subarray(input.lastIndexOf(0) + 1)) };
  }
}
