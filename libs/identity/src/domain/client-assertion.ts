/** Longest life of an assertion, seconds. */
export const ASSERTION_LIFE_S = 300;

/** How far a client's clock may run ahead, seconds. */
export const ASSERTION_SKEW_S = 30;

const LONGEST_JTI = 200;

/**
 * What the hub asks of an assertion (RFC 7523) beyond its signature, subject, audience and expiry: a short life from a
 * plausible time, an id, and one audience only, since one that is also meant for others could be handed on by one of them.
 * @param now seconds since 1970
 * @returns what does not fit, or null
 */
export function assertionFault(claims: Record<string, unknown>, now: number): string | null {
  const { iat, exp, jti, aud, iss, sub } = claims;
  if (iss !== sub) return 'assertion: issuer and subject differ';
  if (typeof iat !== 'number' || typeof exp !== 'number') return 'assertion: no time of issue or expiry';
  if (iat > now + ASSERTION_SKEW_S) return 'assertion: from the future';
  if (exp - iat > ASSERTION_LIFE_S || exp > now + ASSERTION_LIFE_S + ASSERTION_SKEW_S)
    return 'assertion: lives too long';
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) return 'assertion: no usable id';
  if (Array.isArray(aud) && aud.length !== 1) return 'assertion: several audiences';
  return null;
}
