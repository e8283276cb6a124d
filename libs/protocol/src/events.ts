import { createLocalJWKSet, jwtVerify, SignJWT, type JSONWebKeySet } from 'jose';
import { BongsuError } from './errors.js';
import type { Rung } from './vocabulary.js';

/** The hub's own event: a recommendation to the member that holds the key. */
export const RECOMMENDATION_EVENT = 'urn:x-bongsu:event:recommendation:v1';
/** Shared Signals Framework 1.0, section 8.1.4: proves that a stream works. */
export const VERIFICATION_EVENT = 'https://schemas.openid.net/secevent/ssf/event-type/verification';

/** A text in the two languages that members and customers read (BCP 47 tags as keys). */
export interface Bilingual {
  ko: string;
  en: string;
}

/** One reason of a recommendation, fit to leave the hub: no token but the key's own. */
export interface ReasonPayload {
  /** Detector code. */
  code: string;
  /** Natural-log units this reason added. */
  nats: number;
  text: Bilingual;
}

/** The payload of {@link RECOMMENDATION_EVENT}. The key itself is the event's `sub_id` (opaque, the key's token). */
export interface RecommendationPayload {
  recommendation_id: string;
  rung: Rung;
  /** 0 to 1, two decimals. */
  probability: number;
  policy_version: string;
  /** ISO 8601, UTC. */
  issued_at: string;
  deadline: string;
  /** The recommendation that this one replaces, if it does. */
  supersedes: string | null;
  reasons: ReasonPayload[];
  /** For the member's analyst; and a short form fit to show the customer. */
  explanation: Bilingual;
  customer_notice: Bilingual;
  /** Seconds since 1970 (CAEP 1.0, section 2). */
  event_timestamp: number;
  initiating_entity: 'policy' | 'admin';
}

/** A security event token's claims (RFC 8417; `sub_id` RFC 9493): one event, no `sub`, no `exp`. */
export interface SetClaims {
  iss: string;
  aud: string;
  jti: string;
  /** Seconds since 1970. */
  iat: number;
  txn?: string;
  sub_id: { format: 'opaque'; id: string };
  events: Record<string, unknown>;
}

/** Signature algorithms of event streams. RS256 is the CAEP interoperability profile's. */
export const SET_ALGORITHMS = ['ES256', 'RS256'] as const;

/** A private key in any form that jose signs with. */
export type SigningKey = Parameters<SignJWT['sign']>[0];

/** Signs a security event token: compact JWS with `typ: secevent+jwt` (RFC 8417, section 2.3). */
export async function signSet(claims: SetClaims, key: SigningKey, kid: string, alg: (typeof SET_ALGORITHMS)[number]) {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg, kid, typ: 'secevent+jwt' }).sign(key);
}

/**
 * Verifies a security event token's signature, type, issuer and audience, and that it carries one event.
 * @throws {BongsuError} BAD_INPUT; `where` is the RFC 8935 error: invalid_request, invalid_key, invalid_issuer,
 *   invalid_audience or authentication_failed
 */
export async function verifySet(
  jws: string,
  jwks: JSONWebKeySet,
  issuer: string,
  audience: string,
): Promise<SetClaims> {
  const refuse = (err: string, what: string) => new BongsuError('BAD_INPUT', what, err);
  let claims: Record<string, unknown>;
  try {
    const verified = await jwtVerify(jws, createLocalJWKSet(jwks), {
      algorithms: [...SET_ALGORITHMS],
      typ: 'secevent+jwt',
      issuer,
      audience,
    });
    claims = verified.payload;
  } catch (error) {
    const { code, claim } = error as { code?: string; claim?: string };
    if (claim === 'iss') throw refuse('invalid_issuer', 'The token is from another issuer.');
    if (claim === 'aud') throw refuse('invalid_audience', 'The token is for another audience.');
    if (code === 'ERR_JWKS_NO_MATCHING_KEY')
      throw refuse('invalid_key', 'The token is signed with a key that is not published.');
    if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED')
      throw refuse('authentication_failed', 'The signature does not fit the token.');
    throw refuse('invalid_request', 'This is not a security event token.');
  }
  const events = claims['events'];
  const subject = claims['sub_id'] as SetClaims['sub_id'] | undefined;
  const fits =
    typeof claims['jti'] === 'string' &&
    typeof claims['iat'] === 'number' &&
    typeof events === 'object' &&
    events !== null &&
    Object.keys(events).length === 1 &&
    subject?.format === 'opaque' &&
    typeof subject.id === 'string';
  if (!fits) throw refuse('invalid_request', 'A token has a jti, an iat, an opaque sub_id and exactly one event.');
  return claims as unknown as SetClaims;
}
