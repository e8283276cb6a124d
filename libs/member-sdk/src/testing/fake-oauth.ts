import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { calculateJwkThumbprint, EmbeddedJWK, importJWK, jwtVerify, type JWK, type JWTVerifyResult } from 'jose';

/** How far a proof's time may lie from the hub's, seconds. */
const PROOF_WINDOW_S = 60;

type FakeAnswer = { status: number; headers?: Record<string, string>; body?: unknown };

/** The fake hub's token endpoint and its look at credentials, by the rules of the real one. */
export class FakeOAuth {
  /** The hub's time, milliseconds since 1970. */
  now: () => number = Date.now;
  /** Public keys that may sign in; null: any, whoever it is. */
  registered: JWK[] | null = null;
  given = 0;
  /** Scopes asked for, in order. */
  readonly scopes: string[] = [];
  private readonly tokens = new Map<string, { use: 'graphql' | 'ssf'; jkt: string | null }>();
  private readonly seen = new Set<string>();

  /** @param issuer the hub's name, which is its URL */
  constructor(private readonly issuer: () => string) {}

  forgetTokens(): void {
    this.tokens.clear();
  }

  /** `POST /oauth/token` */
  async token(request: IncomingMessage, text: string): Promise<FakeAnswer> {
    const form = new URLSearchParams(text);
    const client = form.get('client_id') ?? '';
    const assertion = form.get('client_assertion') ?? '';
    if (!(await this.knows(client, assertion))) return this.refusal('invalid_client');
    const scope = form.get('scope') ?? 'graphql';
    const use = scope === 'graphql' ? 'graphql' : scope === 'ssf.read ssf.manage' ? 'ssf' : null;
    if (use === null) return this.refusal('invalid_scope');
    const jkt = use === 'graphql' ? await this.proofKey(request) : null;
    if (use === 'graphql' && jkt === null) return this.refusal('invalid_dpop_proof');
    const value = `token-${++this.given}`;
    this.scopes.push(scope);
    this.tokens.set(value, { use, jkt });
    const token_type = use === 'graphql' ? 'DPoP' : 'Bearer';
    return { status: 200, body: { access_token: value, token_type, expires_in: 600, scope } };
  }

  /** Whether a request may go on to GraphQL, or to the shared-signals endpoints. */
  async admits(request: IncomingMessage, use: 'graphql' | 'ssf'): Promise<boolean> {
    const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ');
    const token = this.tokens.get(value);
    if (token?.use !== use || scheme !== (use === 'graphql' ? 'DPoP' : 'Bearer')) return false;
    return use === 'ssf' || (await this.proofKey(request, value)) === token.jkt;
  }

  /** Whether a signed statement is by a registered key (or by `key`), for this hub, in time, and new. */
  async verifies(jwt: string, subject: string, typ: string, keys: JWK[]): Promise<boolean> {
    for (const jwk of keys) {
      const key = await importJWK(jwk, jwk.kty === 'EC' ? 'ES256' : 'EdDSA');
      const rules = { issuer: subject, subject, audience: this.issuer(), typ, currentDate: new Date(this.now()) };
      const verified = await jwtVerify(jwt, key, { ...rules, maxTokenAge: 300 }).catch(() => null);
      if (verified && this.isNew(verified)) return true;
    }
    return false;
  }

  private async knows(client: string, assertion: string): Promise<boolean> {
    return this.registered === null || this.verifies(assertion, client, 'JWT', this.registered);
  }

  /** Thumbprint of the key that a request's proof is made with; null unless the proof is good (RFC 9449, 4.3). */
  private async proofKey(request: IncomingMessage, accessToken?: string): Promise<string | null> {
    const proof = request.headers['dpop'];
    if (typeof proof !== 'string') return null;
    const rules = { typ: 'dpop+jwt', algorithms: ['ES256', 'EdDSA'], currentDate: new Date(this.now()) };
    const verified = await jwtVerify(proof, EmbeddedJWK, rules).catch(() => null);
    if (verified === null) return null;
    const { htm, htu, iat, ath } = verified.payload;
    const [path] = (request.url ?? '').split('?');
    const expected = accessToken && createHash('sha256').update(accessToken).digest('base64url');
    const fits =
      htm === request.method &&
      htu === `${this.issuer()}${path}` &&
      Math.abs((iat ?? 0) - this.now() / 1000) <= PROOF_WINDOW_S &&
      ath === expected &&
      this.isNew(verified);
    return fits ? calculateJwkThumbprint(verified.protectedHeader.jwk as JWK) : null;
  }

  private isNew({ payload: { jti } }: JWTVerifyResult): boolean {
    if (jti === undefined || this.seen.has(jti)) return false;
    this.seen.add(jti);
    return true;
  }

  private refusal(error: string): FakeAnswer {
    return { status: error === 'invalid_client' ? 401 : 400, body: { error, error_description: error } };
  }
}
