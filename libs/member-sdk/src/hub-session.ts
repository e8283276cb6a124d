import { codeOf, DoorError } from './errors.js';
import { HttpDoor, type Answer, type Call } from './http.js';
import type { Clock, MemberKey } from './member-key.js';

/** How anybody with a key of their own reaches the hub. */
export interface SessionOptions {
  /** Base URL of the hub. */
  url: string;
  /** Issuer name of the hub: audience of assertions, `iss` of its events. Its URL unless it says otherwise. */
  issuer?: string;
  /** Who calls, as registered: `member:upbit`. */
  clientId: string;
  key: MemberKey;
  clock: Clock;
  /** Milliseconds for one call; 30,000 unless given. */
  timeoutMs?: number;
}

/** Seconds an assertion holds; the hub takes at most 300. */
const ASSERTION_SECONDS = 240;
/** An access token is renewed when this many milliseconds of it are left. */
const RENEW_BEFORE_MS = 30_000;

/**
 * Calls to the hub in a client's name: an access token by signed assertion (`private_key_jwt`, RFC 7523), kept until
 * shortly before its end by the clock given, renewed once where the hub refuses it.
 */
export class HubSession {
  readonly door: HttpDoor;
  readonly issuer: string;
  private token: { value: string; from: number; until: number } | null = null;
  private renewing: Promise<string> | null = null;

  constructor(private readonly options: SessionOptions) {
    this.door = new HttpDoor('hub', options.url);
    this.issuer = options.issuer ?? options.url.replace(/\/$/, '');
  }

  /**
   * One call with the access token.
   * @throws {DoorError} with the hub's own code where it gave one
   */
  async call(call: Call): Promise<Answer> {
    const once = async (token: string) =>
      this.door.call({
        timeoutMs: this.options.timeoutMs ?? 30_000,
        ...call,
        headers: { ...call.headers, authorization: `Bearer ${token}` },
      });
    let answer = await once(await this.accessToken());
    if (refusesToken(answer)) {
      this.token = null;
      answer = await once(await this.accessToken());
    }
    return answer;
  }

  /** @throws {DoorError} UNAUTHENTICATED when the hub does not know the key, and as {@link HttpDoor.call} */
  private async accessToken(): Promise<string> {
    const now = this.options.clock.now();
    if (this.token && now >= this.token.from && now < this.token.until) return this.token.value;
    this.renewing ??= this.renew().finally(() => (this.renewing = null));
    return this.renewing;
  }

  private async renew(): Promise<string> {
    const { clientId, clock, key } = this.options;
    const now = clock.now();
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await key.assertion(clientId, this.issuer, now, ASSERTION_SECONDS),
    });
    const answer = await this.door.call({
      method: 'POST',
      path: '/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      timeoutMs: this.options.timeoutMs ?? 30_000,
    });
    const body = (answer.body ?? {}) as { access_token?: string; expires_in?: number; error_description?: string };
    if (answer.status !== 200 || typeof body.access_token !== 'string') {
      const code = answer.status >= 400 && answer.status < 500 && answer.status !== 429 ? 'UNAUTHENTICATED' : null;
      throw new DoorError(
        this.door.label,
        code ?? codeOf(null, answer.status),
        `The ${this.door.label} gives no access token to ${clientId}: ` +
          `${body.error_description ?? `HTTP ${answer.status}`}.` +
          (code === null ? '' : ' Check that the alliance registered this public key.'),
        answer.retryAfterMs,
        answer.status,
      );
    }
    const lifetime = (body.expires_in ?? 600) * 1000;
    this.token = {
      value: body.access_token,
      from: now,
      until: now + Math.max(lifetime / 2, lifetime - RENEW_BEFORE_MS),
    };
    return body.access_token;
  }

  async close(): Promise<void> {
    await this.door.close();
  }
}

function refusesToken(answer: Answer): boolean {
  if (answer.status === 401) return true;
  const errors = (answer.body as { errors?: { extensions?: { code?: string } }[] } | null)?.errors;
  return errors?.[0]?.extensions?.code === 'UNAUTHENTICATED';
}
