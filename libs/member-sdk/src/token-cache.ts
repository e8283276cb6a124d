import type { TokenKind } from '@app/protocol';

/** One value and its token. `value` is canonical; for owners it is a hash, see {@link Tokenizer}. */
export interface TokenEntry {
  kind: TokenKind;
  value: string;
  epoch: number;
  /** 32 bytes. */
  token: Uint8Array;
}

/**
 * Keeps tokens, so that a value is blinded once in an epoch. A port: the agent keeps it on disk, a test in memory.
 * It holds the member's own raw values and must not leave the member.
 */
export abstract class TokenCache {
  abstract get(kind: TokenKind, value: string, epoch: number): Uint8Array | undefined;
  /** Keeps entries; they must be durable when the promise resolves. */
  abstract put(entries: readonly TokenEntry[]): Promise<void>;
}

/** A cache that ends with its process. */
export class MemoryTokenCache extends TokenCache {
  private readonly tokens = new Map<string, Uint8Array>();

  override get(kind: TokenKind, value: string, epoch: number): Uint8Array | undefined {
    return this.tokens.get(`${epoch}\0${kind}\0${value}`);
  }

  override async put(entries: readonly TokenEntry[]): Promise<void> {
    for (const e of entries) this.tokens.set(`${e.epoch}\0${e.kind}\0${e.value}`, e.token);
  }
}
