import { createPublicKey, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { decodeJwt, errors, jwtVerify } from 'jose';
import { AuditLog } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database } from '@app/infrastructure/database';
import { SigningKeys } from '@app/keys';
import { SCOPES, type Scope } from './caller.js';
import { ClientDirectory, GATE, type Client } from './client-directory.service.js';
import { parseClientId, plainSubject } from './domain/client-id.js';
import { assertionAlgorithm } from './domain/public-jwk.js';
import { IdentityOptions } from './identity.options.js';
import { OAuthError } from './oauth-error.js';
import { UsedAssertionRepository } from './used-assertion.repository.js';

/** RFC 7523, section 2.2. */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Life of an access token, seconds. */
export const TOKEN_LIFE_S = 600;

/** Longest life of an assertion, seconds. */
const ASSERTION_LIFE_S = 300;

/** How far a client's clock may run ahead, seconds. */
const SKEW_S = 30;

const LONGEST_ASSERTION = 8192;
const LONGEST_JTI = 200;

/** The form of a token request; every field may be missing or not a text. */
export type TokenRequest = Partial<
  Record<'grant_type' | 'client_assertion_type' | 'client_assertion' | 'client_id' | 'scope', unknown>
>;

/** The answer of RFC 6749, section 5.1. */
export interface TokenResponse {
  access_token: string;
  token_type: 'Bearer';
  /** Seconds. */
  expires_in: number;
  scope: string;
}

/** Why an assertion is refused: for the audit, never for the caller. */
type Denial = 'malformed' | 'unknown_client' | 'signature' | 'expired' | 'claims' | 'replayed';

/** The client-credentials grant with `private_key_jwt` (RFC 6749, RFC 7523): an assertion for an RFC 9068 token. */
@Injectable()
export class TokenIssuer {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: SigningKeys,
    private readonly clients: ClientDirectory,
    private readonly used: UsedAssertionRepository,
    private readonly audit: AuditLog,
    private readonly options: IdentityOptions,
  ) {}

  /**
   * @param from the caller's address, for the audit
   * @throws {OAuthError} what the token endpoint answers
   * @throws {BongsuError} UNAVAILABLE when PostgreSQL is away
   */
  async grant(request: TokenRequest, from?: string): Promise<TokenResponse> {
    const { assertion, wanted } = readRequest(request);
    const client = await this.authenticate(assertion, request.client_id);
    if (typeof client === 'string') {
      await this.recordDenial(assertion, client, from);
      throw new OAuthError('invalid_client', 'The client could not be authenticated.');
    }
    const scopes = grantedScopes(client, wanted);
    return {
      access_token: await this.issue(client, scopes),
      token_type: 'Bearer',
      expires_in: TOKEN_LIFE_S,
      scope: scopes.join(' '),
    };
  }

  private async authenticate(assertion: string, statedId: unknown): Promise<Client | Denial> {
    const claimed = claimedSubject(assertion);
    if (!claimed) return 'malformed';
    const id = parseClientId(claimed);
    const client = id && (await this.clients.find(id));
    if (!client || (statedId !== undefined && statedId !== client.id)) return 'unknown_client';
    const claims = await this.verify(assertion, client);
    if (typeof claims === 'string') return claims;
    const now = new Date(this.clock.now());
    const fresh = await this.database.transaction(GATE, (tx) =>
      this.used.use(tx, client.id, claims.jti, new Date(claims.exp * 1000), now),
    );
    return fresh ? client : 'replayed';
  }

  private async verify(assertion: string, client: Client): Promise<{ jti: string; exp: number } | Denial> {
    const issuer = this.options.issuer();
    const now = this.clock.now();
    try {
      const { payload } = await jwtVerify(assertion, createPublicKey({ key: { ...client.jwk }, format: 'jwk' }), {
        algorithms: [assertionAlgorithm(client.jwk)],
        issuer: client.id,
        subject: client.id,
        audience: [issuer, `${issuer}/oauth/token`],
        requiredClaims: ['iat', 'exp', 'jti'],
        currentDate: new Date(now),
      });
      const { iat, exp, jti, aud } = payload as Required<typeof payload>;
      const seconds = now / 1000;
      const fits =
        typeof jti === 'string' &&
        jti.length > 0 &&
        jti.length <= LONGEST_JTI &&
        typeof iat === 'number' &&
        iat <= seconds + SKEW_S &&
        exp - iat <= ASSERTION_LIFE_S &&
        exp <= seconds + ASSERTION_LIFE_S + SKEW_S &&
        // One audience only: an assertion that is also meant for others could have been handed on by one of them.
        (typeof aud === 'string' || aud.length === 1);
      return fits ? { jti, exp } : 'claims';
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired';
      if (error instanceof errors.JWTClaimValidationFailed) return 'claims';
      return 'signature';
    }
  }

  private issue(client: Client, scopes: Scope[]): Promise<string> {
    const issuer = this.options.issuer();
    const iat = Math.floor(this.clock.now() / 1000);
    return this.keys.sign(
      {
        iss: issuer,
        sub: client.id,
        aud: `${issuer}/graphql`,
        client_id: client.id,
        iat,
        exp: iat + TOKEN_LIFE_S,
        jti: randomUUID(),
        roles: client.roles,
        ...(client.principal.kind === 'member' ? { member_id: client.principal.memberId } : {}),
        scope: scopes.join(' '),
      },
      'at+jwt',
    );
  }

  private async recordDenial(assertion: string, reason: Denial, from?: string): Promise<void> {
    const detail = from ? { reason, from } : { reason };
    const subject = claimedSubject(assertion) ?? '-';
    await this.database.transaction(GATE, (tx) =>
      this.audit.record(tx, { actor: 'unknown', action: 'token.denied', subject, detail }),
    );
  }
}

function readRequest(request: TokenRequest): { assertion: string; wanted: string[] | null } {
  if (request.grant_type !== 'client_credentials')
    throw new OAuthError('unsupported_grant_type', 'grant_type needs client_credentials.');
  if (request.client_assertion_type !== ASSERTION_TYPE)
    throw new OAuthError('invalid_request', `client_assertion_type needs ${ASSERTION_TYPE}.`);
  const assertion = request.client_assertion;
  if (typeof assertion !== 'string' || assertion === '' || assertion.length > LONGEST_ASSERTION)
    throw new OAuthError('invalid_request', `client_assertion needs a JWT of at most ${LONGEST_ASSERTION} characters.`);
  const { scope } = request;
  if (scope !== undefined && typeof scope !== 'string')
    throw new OAuthError('invalid_request', 'scope needs a text, once.');
  return { assertion, wanted: scope ? scope.split(' ').filter(Boolean) : null };
}

function grantedScopes(client: Client, wanted: string[] | null): Scope[] {
  const allowed: readonly Scope[] = client.principal.kind === 'member' ? SCOPES : ['graphql'];
  if (wanted?.some((scope) => !allowed.some((a) => a === scope)))
    throw new OAuthError('invalid_scope', `The scopes to choose from are ${allowed.join(' ')}.`);
  return allowed.filter((scope) => !wanted || wanted.includes(scope));
}

/** Whom an assertion claims to come from; not yet verified. */
function claimedSubject(assertion: string): string | null {
  try {
    return plainSubject(decodeJwt(assertion).sub);
  } catch {
    return null;
  }
}
