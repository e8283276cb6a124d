import { decodeJwt, errors, jwtVerify } from 'jose';
import { BongsuError } from '@app/protocol';
import type { Clock } from '@app/infrastructure/clock';
import type { Caller } from './roster.js';

/** Longest life of a caller's token, in seconds. */
export const MAX_TOKEN_SECONDS = 120;
/** How far a caller's clock may be off, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_JTI_CHARACTERS = 128;

/** A caller whose token proved good, and what tells that token from others. */
export interface Authenticated {
  readonly caller: Caller;
  readonly jti: string;
  /** When the token can no longer be accepted, milliseconds since the epoch, tolerance included. */
  readonly expiresAt: number;
}

/**
 * Checks a bearer token that the caller signed with its own key: `iss` = `sub` = its name, `aud`, `iat`, `exp` at most
 * 120 s later, `jti`. Whether the token was used before is not checked here.
 * @throws {BongsuError} UNAUTHENTICATED with the reason
 */
export async function authenticate(
  authorization: string | undefined,
  find: (name: string) => Caller | undefined,
  clock: Clock,
  audience: string,
): Promise<Authenticated> {
  const token = bearer(authorization);
  if (token === undefined) throw refused('A bearer token is needed: Authorization: Bearer <JWT>.');
  const name = issuerOf(token);
  const caller = name === undefined ? undefined : find(name);
  if (caller === undefined) throw refused('The token names no known caller in "iss".');
  try {
    const { exp, iat, jti } = await verified(token, caller, clock, audience);
    if (exp - iat > MAX_TOKEN_SECONDS) throw refused(`The token lives longer than ${MAX_TOKEN_SECONDS} seconds.`);
    if (typeof jti !== 'string' || jti.length === 0 || jti.length > MAX_JTI_CHARACTERS)
      throw refused(`"jti" must be a string of 1 to ${MAX_JTI_CHARACTERS} characters.`);
    return { caller, jti, expiresAt: (exp + CLOCK_TOLERANCE_SECONDS) * 1000 };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refused(`The token was refused: ${error.message}.`);
    throw error;
  }
}

/** @throws {errors.JOSEError} where none of the caller's keys has signed it, or a claim does not fit */
async function verified(token: string, caller: Caller, clock: Clock, audience: string) {
  let failure: unknown;
  for (const { key, algorithms } of caller.keys)
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [...algorithms],
        issuer: caller.name,
        subject: caller.name,
        audience,
        currentDate: new Date(clock.now()),
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        maxTokenAge: MAX_TOKEN_SECONDS,
        requiredClaims: ['exp', 'iat', 'jti'],
      });
      return payload as { exp: number; iat: number; jti: unknown };
    } catch (error) {
      failure = error;
      const isOfOtherKey =
        error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed;
      if (!isOfOtherKey) break;
    }
  throw failure;
}

/** The name that a token claims, unverified: for the audit only. */
export function claimedName(authorization: string | undefined): string | undefined {
  const token = bearer(authorization);
  return token === undefined ? undefined : issuerOf(token)?.slice(0, 64);
}

function bearer(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

function issuerOf(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

function refused(message: string): BongsuError {
  return new BongsuError('UNAUTHENTICATED', message);
}
