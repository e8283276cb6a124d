import { codeOf, DoorError } from './errors.js';
import { HttpDoor, type Answer, type Call } from './http.js';
import type { KeyRing, MemberKey } from './member-key.js';

/** How anybody with a key of their own reaches the hub. */
export interface SessionOptions {
  /** Base URL of the hub. */
  url: string;
  /** Issuer name of the hub: audience of assertions, `iss` of its events. Its URL unless it says otherwise. */
  issuer?: string;
  /** Who calls, as registered: `member:upbit`. */
  clientId: string;
  key: KeyRing;
  /** This machine's time, milliseconds since 1970; the system's clock unless given. Never a simulated one. */
  now?: () => number;
  /** Milliseconds for one call; 30,000 unless given. */
  timeoutMs?: number;
}

/**
 * What a token is for. `graphql`: bound to the caller's key, every request with a proof (DPoP, RFC 9449). `ssf`, the
 * shared-signals endpoints: a plain bearer token that opens nothing else.
 */
export type TokenUse = 'graphql' | 'ssf';

const SCOPES: Record<TokenUse, string> = { graphql: 'graphql', ssf: 'ssf.read ssf.manage' };
const TOKEN_PATH = '/oauth/token';
/** Seconds an assertion holds; the hub takes at most 300. */
const ASSERTION_SECONDS = 240;
/** An access token is renewed when this many milliseconds of it are left. */
const RENEW_BEFORE_MS = 30_000;

interface Token {
  value: string;
  /** The key that got it, and that a bound one is used with. */
  key: MemberKey;
  /** By this machine's time. */
  from: number;
  until: number;
}

/**
 * Calls to the hub in a client's name: access tokens by signed assertion (`private_key_jwt`, RFC 7523), one for each
 * use, kept until shortly before its end, renewed once where the hub refuses it.
 */
export class HubSession {
  readonly door: HttpDoor;
  readonly issuer: string;
  private readonly now: () => number;
  private readonly tokens = new Map<TokenUse, Token>();
  private readonly renewing = new Map<TokenUse, Promise<Token>>();
  private used: MemberKey | null = null;

  constructor(private readonly options: SessionOptions) {
    this.now = options.now ?? Date.now;
    this.door = new HttpDoor('hub', options.url, this.now);
    this.issuer = options.issuer ?? options.url.replace(/\/$/, '');
  }

  get clientId(): string {
    return this.options.clientId;
  }

  /** Name of the key that the hub took last; null before it took one. */
  get keyInUse(): string | null {
    return this.used?.name ?? null;
  }

  /**
   * One call with the access token for its use.
   * @throws {DoorError} with the hub's own code where it gave one
   */
  async call(call: Call, use: TokenUse = 'graphql'): Promise<Answer> {
    const token = await this.token(use);
    const answer = await this.callWith(token, call, use);
    if (!refusesToken(answer)) return answer;
    if (this.tokens.get(use) === token) this.tokens.delete(use);
    return this.callWith(await this.token(use), { ...call, requestId: answer.requestId }, use);
  }

  private async callWith(token: Token, call: Call, use: TokenUse): Promise<Answer> {
    const credentials: Record<string, string> =
      use === 'ssf'
        ? { authorization: `Bearer ${token.value}` }
        : { authorization: `DPoP ${token.value}`, dpop: await this.proof(token.key, call, token.value) };
    return this.door.call({
      timeoutMs: this.options.timeoutMs ?? 30_000,
      ...call,
      headers: { ...call.headers, ...credentials },
    });
  }

  private proof(key: MemberKey, { method, path }: Call, token?: string): Promise<string> {
    const [pathname] = path.split('?');
    return key.dpopProof(method, `${this.issuer.replace(/\/$/, '')}${pathname}`, this.door.time.now(), token);
  }

  /** @throws {DoorError} UNAUTHENTICATED when the hub does not know the key, and as {@link HttpDoor.call} */
  private async token(use: TokenUse): Promise<Token> {
    const now = this.now();
    const token = this.tokens.get(use);
    if (token && now >= token.from && now < token.until) return token;
    const renewing = this.renewing.get(use) ?? this.renew(use).finally(() => this.renewing.delete(use));
    this.renewing.set(use, renewing);
    return renewing;
  }

  /** Tries the caller's keys, newest first, until the hub takes one. */
  private async renew(use: TokenUse): Promise<Token> {
    let refusal: DoorError | null = null;
    for (const key of await this.options.key.keys()) {
      const now = this.now();
      let answer = await this.ask(use, key);
      // The answer told the hub's time: what was signed by another one is signed again.
      if (isRefusal(answer) && answer.timeMoved) answer = await this.ask(use, key);
      const body = (answer.body ?? {}) as { access_token?: string; expires_in?: number };
      if (answer.status === 200 && typeof body.access_token === 'string') {
        const lifetime = (body.expires_in ?? 600) * 1000;
        const until = now + Math.max(lifetime / 2, lifetime - RENEW_BEFORE_MS);
        const token = { value: body.access_token, key, from: now, until };
        this.tokens.set(use, token);
        this.used = key;
        return token;
      }
      refusal ??= this.refusal(answer);
      if (!isRefusal(answer)) break;
    }
    throw refusal ?? new DoorError(this.door.label, 'UNAUTHENTICATED', 'There is no key to sign with.');
  }

  private async ask(use: TokenUse, key: MemberKey): Promise<Answer> {
    const call: Call = { method: 'POST', path: TOKEN_PATH, timeoutMs: this.options.timeoutMs ?? 30_000 };
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: this.clientId,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await key.assertion(this.clientId, this.issuer, this.door.time.now(), ASSERTION_SECONDS),
      scope: SCOPES[use],
    });
    const proof: Record<string, string> = use === 'ssf' ? {} : { dpop: await this.proof(key, call) };
    return this.door.call({
      ...call,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...proof },
      body: form.toString(),
    });
  }

  private refusal(answer: Answer): DoorError {
    const said = (answer.body ?? {}) as { error_description?: unknown; message?: unknown };
    const why = [said.error_description, said.message].find((text) => typeof text === 'string');
    const refused = isRefusal(answer);
    return this.door.failure(
      answer,
      refused ? 'UNAUTHENTICATED' : codeOf((answer.body as { code?: unknown } | null)?.code, answer.status),
      `The ${this.door.label} gives no access token to ${this.clientId}: ` +
        `${typeof why === 'string' ? why.replace(/\.$/, '') : `HTTP ${answer.status}`}.` +
        (refused ? ' Check that the alliance registered this public key.' : ''),
    );
  }

  async close(): Promise<void> {
    await this.door.close();
  }
}

/** Whether the token endpoint refused the caller, rather than failed or asked to wait. */
function isRefusal({ status }: Answer): boolean {
  return status >= 400 && status < 500 && status !== 429;
}

function refusesToken(answer: Answer): boolean {
  if (answer.status === 401) return true;
  const errors = (answer.body as { errors?: { extensions?: { code?: string } }[] } | null)?.errors;
  return errors?.[0]?.extensions?.code === 'UNAUTHENTICATED';
}
