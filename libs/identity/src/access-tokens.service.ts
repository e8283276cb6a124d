import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { createLocalJWKSet, decodeJwt, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import { SIGNING_ALGORITHMS, SigningKeys } from '@app/keys';
import { BongsuError } from '@app/protocol';
import type { Caller } from './caller.js';
import { ClientDirectory } from './client-directory.service.js';
import { Denial, Denials } from './denials.service.js';
import { parseClientId, plainSubject } from './domain/client-id.js';
import type { Door } from './domain/doors.js';
import { checkProof, PROOF_WINDOW_S } from './domain/dpop-proof.js';
import { IdentityOptions } from './identity.options.js';
import { UsedAssertions } from './used-assertions.service.js';

const LONGEST_TOKEN = 8192;

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
 * Verifies access tokens (RFC 9068), that their bearer holds the key they are bound to (RFC 9449), and that the hub still
 * stands by them. All in the system's wall time, as tokens are issued: a simulated clock is for the domain.
 */
@Injectable()
export class AccessTokens {
  private keySet: { of: JSONWebKeySet; find: ReturnType<typeof createLocalJWKSet> } | null = null;

  constructor(
    private readonly keys: SigningKeys,
    private readonly clients: ClientDirectory,
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
    try {
      if (credentials.authorization === undefined) throw new Denial('missing');
      if (scheme.toLowerCase() !== door.scheme.toLowerCase()) throw new Denial('scheme');
      if (token.length > LONGEST_TOKEN) throw new Denial('malformed');
      const claims = await this.claimsOf(door, token);
      const caller = await this.callerOf(door, claims);
      await this.checkBinding(door, token, claims, credentials, caller);
      return caller;
    } catch (error) {
      if (!(error instanceof Denial)) throw error;
      await this.denials.record('access.denied', claimedSubject(token), error.reason);
      throw new BongsuError('UNAUTHENTICATED', 'A valid access token is needed.');
    }
  }

  private async claimsOf(door: Door, token: string): Promise<JWTPayload> {
    const find = await this.keyFinder();
    const issuer = this.options.issuer();
    try {
      const { payload } = await jwtVerify(token, find, {
        algorithms: [...SIGNING_ALGORITHMS],
        typ: 'at+jwt',
        issuer,
        audience: `${issuer}${door.path}`,
        requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'],
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new Denial('expired');
      throw new Denial(error instanceof errors.JWTClaimValidationFailed ? 'claims' : 'signature');
    }
  }

  private async callerOf(door: Door, claims: JWTPayload): Promise<Caller> {
    if (claims['client_id'] !== claims.sub) throw new Denial('claims');
    const id = parseClientId(plainSubject(claims.sub) ?? '');
    const client = id && (await this.clients.find(id));
    if (!client) throw new Denial('inactive');
    if (client.principal.kind === 'member' && claims['member_id'] !== client.principal.memberId)
      throw new Denial('claims');
    // A role that was taken away since the token was issued no longer counts.
    const inToken = Array.isArray(claims['roles']) ? claims['roles'] : [];
    const granted = String(claims['scope'] ?? '').split(' ');
    const scopes = door.scopes.filter((scope) => granted.includes(scope));
    if (scopes.length === 0) throw new Denial('scope');
    return {
      principal: client.principal,
      clientId: client.id,
      roles: client.roles.filter((role) => inToken.includes(role)),
      scopes,
    };
  }

  /** A bound token comes with a fresh proof of its key; a plain one only where plain ones are taken. */
  private async checkBinding(
    door: Door,
    token: string,
    claims: JWTPayload,
    { proof, method }: Credentials,
    caller: Caller,
  ): Promise<void> {
    const bound = (claims['cnf'] as { jkt?: unknown } | undefined)?.jkt;
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

function claimedSubject(token: string): string {
  try {
    return plainSubject(decodeJwt(token).sub) ?? '-';
  } catch {
    return '-';
  }
}
