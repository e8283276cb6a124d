import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { createLocalJWKSet, decodeJwt, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import { SIGNING_ALGORITHMS, SigningKeys } from '@app/keys';
import { BongsuError } from '@app/protocol';
import type { Caller } from './caller.js';
import { ClientDirectory } from './client-directory.service.js';
import { Denial, Denials } from './denials.service.js';
import { parseClientId, plainSubject } from './domain/client-id.js';
import { TOKEN_LIFE_S, type Door, type Scope } from './domain/doors.js';
import { checkProof, PROOF_WINDOW_S } from './domain/dpop-proof.js';
import { externalPerson } from './domain/external-issuer.js';
import { ExternalIssuers, type KnownIssuer } from './external-issuers.service.js';
import { IdentityOptions } from './identity.options.js';
import { UsedAssertions } from './used-assertions.service.js';

const LONGEST_TOKEN = 8192;

/** How far an issuer's clock may run ahead, seconds: a time of issue beyond it would make a life longer. */
const ISSUER_SKEW_S = 30;

/** What external issuers may sign with: nothing that a public key could forge. */
const EXTERNAL_ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'];

/** What a request shows at a door. */
export interface Credentials {
  /** The `Authorization` header. */
  authorization: string | undefined;
  /** The `DPoP` header. */
  proof: string | undefined;
  /** HTTP method. */
  method: string;
}

/**
 * Verifies access tokens (RFC 9068) of the hub and of the issuers it is told to trust, that their bearer holds the key they
 * are bound to (RFC 9449), and that the hub still stands by them. All in the system's wall time, as tokens are issued: a
 * simulated clock is for the domain.
 */
@Injectable()
export class AccessTokens {
  private keySet: { of: JSONWebKeySet; find: ReturnType<typeof createLocalJWKSet> } | null = null;

  constructor(
    private readonly keys: SigningKeys,
    private readonly clients: ClientDirectory,
    private readonly issuers: ExternalIssuers,
    private readonly used: UsedAssertions,
    private readonly denials: Denials,
    private readonly options: IdentityOptions,
  ) {}

  /**
   * Who calls at a door. A proof counts once: verify once a request.
   * @throws {BongsuError} UNAUTHENTICATED, always with the same words; UNAVAILABLE when PostgreSQL is away
   */
  async verify(door: Door, credentials: Credentials): Promise<Caller> {
    const [, scheme = '', token = ''] = /^(\S+) +([A-Za-z0-9._~+/-]+=*)$/.exec(credentials.authorization ?? '') ?? [];
    const claimed = token.length <= LONGEST_TOKEN ? claimsWithin(token) : null;
    try {
      if (credentials.authorization === undefined) throw new Denial('missing');
      if (scheme.toLowerCase() !== door.scheme.toLowerCase()) throw new Denial('scheme');
      if (!claimed) throw new Denial('malformed');
      const own = this.options.issuer();
      const external = claimed.iss === own ? undefined : this.issuers.find(claimed.iss);
      const claims = await this.claimsOf(door, token, external);
      const caller =
        external?.tokens.kind === 'people'
          ? personOf(door, external, claims)
          : await this.clientOf(door, claims, external);
      await this.checkBinding(door, token, claims, credentials, caller);
      return caller;
    } catch (error) {
      if (!(error instanceof Denial)) throw error;
      await this.denials.record('access.denied', plainSubject(claimed?.sub) ?? '-', error.reason);
      throw new BongsuError('UNAUTHENTICATED', 'A valid access token is needed.');
    }
  }

  private async claimsOf(door: Door, token: string, external: KnownIssuer | undefined): Promise<JWTPayload> {
    const own = this.options.issuer();
    const expected = {
      algorithms: external ? EXTERNAL_ALGORITHMS : [...SIGNING_ALGORITHMS],
      typ: 'at+jwt',
      issuer: external?.issuer ?? own,
      audience: `${own}${door.path}`,
      requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'],
    };
    try {
      const { payload } = await jwtVerify(token, external?.keys ?? (await this.keyFinder()), expected);
      const latest = Math.min(payload.iat!, Date.now() / 1000 + ISSUER_SKEW_S) + TOKEN_LIFE_S;
      if (payload.exp! > latest) throw new Denial('claims');
      return payload;
    } catch (error) {
      if (error instanceof Denial || error instanceof BongsuError) throw error;
      if (error instanceof errors.JWTExpired) throw new Denial('expired');
      throw new Denial(error instanceof errors.JWTClaimValidationFailed ? 'claims' : 'signature');
    }
  }

  /** A client of our register. What its token says of roles narrows them where the token is ours; others know none. */
  private async clientOf(door: Door, claims: JWTPayload, external: KnownIssuer | undefined): Promise<Caller> {
    if (claims['client_id'] !== claims.sub) throw new Denial('claims');
    const id = parseClientId(plainSubject(claims.sub) ?? '');
    const client = id && (await this.clients.find(id));
    if (!client) throw new Denial('inactive');
    const { principal, roles } = client;
    if (!door.kinds.includes(principal.kind)) throw new Denial('door');
    if (external?.tokens.kind === 'clients' && !external.tokens.as.includes(principal.kind)) throw new Denial('kind');
    const scopes = scopesAt(door, claims);
    if (external) return { principal, clientId: client.id, roles, scopes };
    if (principal.kind === 'member' && claims['member_id'] !== principal.memberId) throw new Denial('claims');
    // A role that was taken away since the token was issued no longer counts.
    const inToken = Array.isArray(claims['roles']) ? claims['roles'] : [];
    return { principal, clientId: client.id, roles: roles.filter((role) => inToken.includes(role)), scopes };
  }

  /** A bound token comes with a fresh proof of its key; a plain one only where plain ones are taken. */
  private async checkBinding(
    door: Door,
    token: string,
    claims: JWTPayload,
    { proof, method }: Credentials,
    caller: Caller,
  ): Promise<void> {
    const bound = (claims['cnf'] as { jkt?: unknown } | null | undefined)?.jkt;
    if (door.scheme === 'Bearer') {
      if (claims['cnf'] !== undefined) throw new Denial('bound');
      return;
    }
    if (typeof bound !== 'string') throw new Denial('unbound');
    if (proof === undefined) throw new Denial('proof_missing');
    const url = `${this.options.issuer()}${door.path}`;
    const checked = await checkProof(proof, { method, url, accessToken: token, now: Date.now() });
    if (typeof checked === 'string') throw new Denial(checked);
    if (checked.jkt !== bound) throw new Denial('proof_key');
    const id = createHash('sha256').update(`dpop\n${checked.jkt}\n${checked.jti}`).digest('base64url');
    // Its `iat` may lie ahead by the window, and it holds for the window after that.
    if (!(await this.used.use(caller.clientId, id, 2 * PROOF_WINDOW_S + 1))) throw new Denial('proof_replayed');
  }

  private async keyFinder(): Promise<ReturnType<typeof createLocalJWKSet>> {
    const jwks = await this.keys.jwks();
    if (this.keySet?.of !== jwks) this.keySet = { of: jwks, find: createLocalJWKSet(jwks) };
    return this.keySet.find;
  }
}

/** A person of an issuer that vouches for people. */
function personOf(door: Door, { name, tokens }: KnownIssuer, claims: JWTPayload): Caller {
  const person = tokens.kind === 'people' ? externalPerson(name, tokens, claims) : 'kind';
  if (typeof person === 'string') throw new Denial(`person_${person}`);
  if (!door.kinds.includes(person.kind)) throw new Denial('door');
  const principal = { kind: person.kind, name: person.name };
  return { principal, clientId: `${person.kind}:${person.name}`, roles: person.roles, scopes: scopesAt(door, claims) };
}

function scopesAt(door: Door, claims: JWTPayload): Scope[] {
  const granted = String(claims['scope'] ?? '').split(' ');
  const scopes = door.scopes.filter((scope) => granted.includes(scope));
  if (scopes.length === 0) throw new Denial('scope');
  return scopes;
}

/** What a token claims, not verified; null for what is none. */
function claimsWithin(token: string): JWTPayload | null {
  try {
    return decodeJwt(token);
  } catch {
    return null;
  }
}
