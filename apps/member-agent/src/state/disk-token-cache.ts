import { decodeToken, encodeToken, TokenCache, type RawValue, type TokenEntry, type TokenKind } from '@app/member-sdk';
import { AppendLog } from './append-log.js';

/** A line of the file: epoch, kind, value, token (base64url). Short names: the file has a line for every value. */
export interface TokenLine {
  e: number;
  k: TokenKind;
  v: string;
  t: string;
}

/** Tokens on disk, appended and synced; in memory those of one epoch and of the ones after it. The file holds raw values: mode 0600. */
export class DiskTokenCache extends TokenCache {
  private readonly tokens = new Map<string, Uint8Array>();
  /** Key tokens (base64url) to access keys, of every epoch in the file. */
  private readonly accessKeys = new Map<string, string>();
  private log: AppendLog<TokenLine>;

  /** @param options `readOnly`: only to look at, while an agent may be writing it */
  static async open(path: string, epoch: number, options: { readOnly?: boolean } = {}): Promise<DiskTokenCache> {
    const cache = new DiskTokenCache();
    const each = (line: TokenLine) => cache.remember(line, epoch);
    if (options.readOnly) await AppendLog.read(path, each);
    else cache.log = await AppendLog.open(path, each);
    return cache;
  }

  override get(kind: TokenKind, value: string, epoch: number): Uint8Array | undefined {
    return this.tokens.get(`${epoch}\0${kind}\0${value}`);
  }

  override async put(entries: readonly TokenEntry[]): Promise<void> {
    const lines = entries.map((e): TokenLine => ({ e: e.epoch, k: e.kind, v: e.value, t: encodeToken(e.token) }));
    await this.log.append(...lines);
    for (const line of lines) this.remember(line, line.e);
  }

  /** The own key behind a token (base64url); undefined where this member never made it. */
  accessKeyOf(token: string): string | undefined {
    return this.accessKeys.get(token);
  }

  /** Every own key with its token (base64url). */
  ownKeys(): Iterable<[token: string, accessKey: string]> {
    return this.accessKeys.entries();
  }

  /** Every value with a token in an epoch; owners are known by a hash alone and left out. */
  valuesOf(epoch: number): RawValue[] {
    const values: RawValue[] = [];
    for (const id of this.tokens.keys()) {
      const [e, kind, value] = id.split('\0') as [string, TokenKind, string];
      if (Number(e) === epoch && kind !== 'owner') values.push({ kind, value });
    }
    return values;
  }

  get size(): number {
    return this.tokens.size;
  }

  async close(): Promise<void> {
    await this.log.close();
  }

  private remember(line: TokenLine, epoch: number): void {
    if (line.k === 'key') this.accessKeys.set(line.t, line.v);
    if (line.e >= epoch) this.tokens.set(`${line.e}\0${line.k}\0${line.v}`, decodeToken(line.t));
  }
}
