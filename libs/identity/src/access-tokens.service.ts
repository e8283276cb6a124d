import { Injectable } from '@nestjs/common';
import { createLocalJWKSet, decodeJwt, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import { AuditLog } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database } from '@app/infrastructure/database';
import { SIGNING_ALGORITHMS, SigningKeys } from '@app/keys';
import { BongsuError } from '@app/protocol';
import { SCOPES, type Caller } from './caller.js';
import { ClientDirectory, GATE } from './client-directory.service.js';
import { parseClientId, plainSubject } from './domain/client-id.js';
import { IdentityOptions } from './identity.options.js';

const LONGEST_TOKEN = 8192;

/** Verifies access tokens (RFC 9068), and that the hub still stands by them. */
@Injectable()
export class AccessTokens {
  private keySet: { of: JSONWebKeySet; find: ReturnType<typeof createLocalJWKSet> } | null = null;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: SigningKeys,
    private readonly clients: ClientDirectory,
    private readonly audit: AuditLog,
    private readonly options: IdentityOptions,
  ) {}

  /**
   * @param bearer the token without its scheme, or undefined where the request had none
   * @param from the caller's address, for the audit
   * @throws {BongsuError} UNAUTHENTICATED, always with the same words; UNAVAILABLE when PostgreSQL is away
   */
  async verify(bearer: string | undefined, from?: string): Promise<Caller> {
    if (!bearer) throw unauthenticated();
    const result = bearer.length <= LONGEST_TOKEN ? await this.callerOf(bearer) : 'malformed';
    if (typeof result !== 'string') return result;
    const detail = from ? { reason: result, from } : { reason: result };
    await this.database.transaction(GATE, (tx) =>
      this.audit.record(tx, { actor: 'unknown', action: 'access.denied', subject: claimedSubject(bearer), detail }),
    );
    throw unauthenticated();
  }

  /** The caller, or why there is none. */
  private async callerOf(bearer: string): Promise<Caller | string> {
    const payload = await this.claimsOf(bearer);
    if (typeof payload === 'string') return payload;
    const id = parseClientId(plainSubject(payload.sub) ?? '');
    const client = id && (await this.clients.find(id));
    if (!client) return 'inactive';
    if (client.principal.kind === 'member' && payload['member_id'] !== client.principal.memberId) return 'claims';
    // A role that was taken away since the token was issued no longer counts.
    const inToken = Array.isArray(payload['roles']) ? payload['roles'] : [];
    const granted = String(payload['scope'] ?? '').split(' ');
    return {
      principal: client.principal,
      clientId: client.id,
      roles: client.roles.filter((role) => inToken.includes(role)),
      scopes: SCOPES.filter((scope) => granted.includes(scope)),
    };
  }

  private async claimsOf(bearer: string): Promise<JWTPayload | string> {
    const find = await this.keyFinder();
    const issuer = this.options.issuer();
    try {
      const { payload } = await jwtVerify(bearer, find, {
        algorithms: [...SIGNING_ALGORITHMS],
        typ: 'at+jwt',
        issuer,
        audience: `${issuer}/graphql`,
        requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'],
        currentDate: new Date(this.clock.now()),
      });
      return payload['client_id'] === payload.sub ? payload : 'claims';
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired';
      if (error instanceof errors.JWTClaimValidationFailed) return 'claims';
      return 'signature';
    }
  }

  private async keyFinder(): Promise<ReturnType<typeof createLocalJWKSet>> {
    const jwks = await this.keys.jwks();
    if (this.keySet?.of !== jwks) this.keySet = { of: jwks, find: createLocalJWKSet(jwks) };
    return this.keySet.find;
  }
}

function unauthenticated(): BongsuError {
  return new BongsuError('UNAUTHENTICATED', 'A valid access token is needed.');
}

function claimedSubject(bearer: string): string {
  try {
    return plainSubject(decodeJwt(bearer).sub) ?? '-';
  } catch {
    return '-';
  }
}
