import { BongsuError, type RawValue, type Tokenizer, type TokenKind } from '@app/member-sdk';
import type { LineReason, RawKey, RawObservation, RawRow } from '../input/rows.js';

/** Tokens of an observation's values. */
export interface ObservationTokens {
  key: Uint8Array;
  ip: Uint8Array;
  prefix: Uint8Array;
  client: Uint8Array;
}

/** Tokens of a key's values; `allowed[i]` belongs to its entry i. */
export interface KeyTokens {
  key: Uint8Array;
  owner: Uint8Array;
  allowed: { ip: Uint8Array; prefix: Uint8Array }[];
}

/** A value that cannot be one of its kind, and why its line is refused. */
export class BadValue extends Error {
  constructor(readonly reason: LineReason) {
    super(reason);
  }
}

const REASONS: Record<TokenKind, LineReason> = {
  key: 'KEY_MALFORMED',
  ip: 'IP_MALFORMED',
  prefix: 'IP_MALFORMED',
  client: 'CLIENT_MALFORMED',
  owner: 'OWNER_MALFORMED',
};

/** Looks up tokens for rows, and remembers which values have none yet. */
export class RowBlinder {
  private wanted: RawValue[] = [];

  constructor(private readonly tokenizer: Tokenizer) {}

  /** Null while a value has no token. @throws {BadValue} */
  observation(row: RawObservation): ObservationTokens | null {
    const key = this.find('key', row.key);
    const ip = this.find('ip', row.ip);
    const prefix = this.find('prefix', row.ip);
    const client = this.find('client', row.client);
    return key && ip && prefix && client ? { key, ip, prefix, client } : null;
  }

  /** Null while a value has no token. @throws {BadValue} */
  key(row: RawKey): KeyTokens | null {
    const key = this.find('key', row.key);
    const owner = this.find('owner', row.owner);
    const allowed: KeyTokens['allowed'] = [];
    let whole = true;
    for (const entry of row.allowed) {
      const ip = this.find('ip', entry.ip);
      const prefix = this.find('prefix', entry.ip);
      if (ip && prefix) allowed.push({ ip, prefix });
      else whole = false;
    }
    return key && owner && whole ? { key, owner, allowed } : null;
  }

  /** Whether every value of a row has a token. @throws {BadValue} */
  complete(row: RawRow): boolean {
    return (row.row === 'observation' ? this.observation(row) : this.key(row)) !== null;
  }

  /** Values met without a token since the last call. */
  takeWanted(): RawValue[] {
    const wanted = this.wanted;
    this.wanted = [];
    return wanted;
  }

  private find(kind: TokenKind, value: string): Uint8Array | undefined {
    try {
      const token = this.tokenizer.lookup(kind, value);
      if (token === undefined) this.wanted.push({ kind, value });
      return token;
    } catch (error) {
      if (error instanceof BongsuError && error.code === 'BAD_INPUT') throw new BadValue(REASONS[kind]);
      throw error;
    }
  }
}
