import { readFileSync } from 'node:fs';
import { HttpDoor, MemberKey } from '@app/member-sdk';
import { BongsuError, type ErrorCode } from '@app/protocol';

/** Seconds that an assertion to a blinder holds; it takes at most 120. */
const ASSERTION_SECONDS = 100;

/** What a blinder publishes of an epoch. */
export interface BlinderEpochRow {
  epoch: number;
  publicKey: string;
  state: string;
}

/** A holder's word on a key that it has destroyed. */
export interface DestroyedKey {
  epoch: number;
  publicKey: string;
  at: string;
  by: string;
  auditSeq: number;
}

/** A blinder's door, in a person's name: by the key that its signed list has for them. */
export class BlinderApi {
  private readonly door: HttpDoor;

  private constructor(
    url: string,
    private readonly name: string,
    private readonly key: MemberKey,
  ) {
    this.door = new HttpDoor('blinder', url);
  }

  /** @throws {BongsuError} CONFIG_INVALID for a key file that cannot be used */
  static async open(url: string, name: string, keyFile: string): Promise<BlinderApi> {
    try {
      return new BlinderApi(url, name, await MemberKey.fromJwk(JSON.parse(readFileSync(keyFile, 'utf8')) as object));
    } catch {
      throw new BongsuError(
        'CONFIG_INVALID',
        `${keyFile} cannot be read as a private JWK; name yours with --key.`,
        '--key',
      );
    }
  }

  get label(): string {
    return this.door.label;
  }

  async epochs(): Promise<BlinderEpochRow[]> {
    return (await this.ask<{ epochs: BlinderEpochRow[] }>('GET', '/v1/epochs')).epochs;
  }

  /** Has the next epoch's key made. Again is fine. */
  prepare(): Promise<BlinderEpochRow> {
    return this.ask('POST', '/v1/epochs');
  }

  activate(epoch: number): Promise<BlinderEpochRow> {
    return this.ask('POST', `/v1/epochs/${epoch}/activate`);
  }

  async destroy(epoch: number): Promise<DestroyedKey> {
    return (await this.ask<{ destroyed: DestroyedKey }>('DELETE', `/v1/epochs/${epoch}`)).destroyed;
  }

  /** What the blinder has recorded, after an entry's number. */
  audit(after: number): Promise<{ day: string; usage: object[]; entries: Record<string, unknown>[]; next: number }> {
    return this.ask('GET', `/v1/audit?after=${after}&limit=1000`);
  }

  close(): Promise<void> {
    return this.door.close();
  }

  /** @throws {BongsuError} with the blinder's code */
  private async ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<T> {
    const assertion = await this.key.assertion(this.name, 'bongsu-blinder', this.door.time.now(), ASSERTION_SECONDS);
    const headers = { authorization: `Bearer ${assertion}` };
    const { status, body } = await this.door.call({ method, path, headers, timeoutMs: 30_000 });
    const said = (body ?? {}) as { code?: ErrorCode; message?: string };
    if (status >= 300)
      throw new BongsuError(said.code ?? 'UNAVAILABLE', `The ${this.label}: ${said.message ?? `HTTP ${status}`}`);
    return body as T;
  }
}
