import { createHash, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose';
import { BongsuError } from '@app/protocol';
import { assertionAlgorithm, checkPublicJwk, type PublicJwk } from './public-jwk.js';

/** How far a proof's `iat` may lie from the hub's time, either way, seconds. */
export const PROOF_WINDOW_S = 60;

const LONGEST_PROOF = 4096;
const LONGEST_JTI = 200;

/** What a proof has to be about. */
export interface ExpectedProof {
  /** HTTP method. */
  method: string;
  /** URL of the door, without query and fragment. */
  url: string;
  /** The access token that it comes with. */
  accessToken: string;
  /** Milliseconds since 1970. */
  now: number;
}

/** A proof that holds. */
export interface Proof {
  /** RFC 7638 thumbprint of the key that signed it: `cnf.jkt` of the token it may come with. */
  jkt: string;
  jti: string;
}

/** Why a proof does not hold: for the audit, never for the caller. */
export type ProofFault = 'proof_malformed' | 'proof_signature' | 'proof_claims' | 'proof_time';

/**
 * Checks a DPoP proof (RFC 9449, section 4.3), except for its being used once.
 * @param proof the `DPoP` header's value
 */
export async function checkProof(proof: string, expected: ExpectedProof): Promise<Proof | ProofFault> {
  const jwk = proof.length <= LONGEST_PROOF ? embeddedKey(proof) : null;
  if (!jwk) return 'proof_malformed';
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(proof, createPublicKey({ key: { ...jwk }, format: 'jwk' }), {
      algorithms: [assertionAlgorithm(jwk)],
      typ: 'dpop+jwt',
      currentDate: new Date(expected.now),
    }));
  } catch {
    return 'proof_signature';
  }
  const { iat, jti } = payload;
  if (typeof iat !== 'number' || Math.abs(expected.now / 1000 - iat) > PROOF_WINDOW_S) return 'proof_time';
  const fits =
    typeof jti === 'string' &&
    jti.length > 0 &&
    jti.length <= LONGEST_JTI &&
    payload['htm'] === expected.method &&
    sameUrl(payload['htu'], expected.url) &&
    payload['ath'] === createHash('sha256').update(expected.accessToken).digest('base64url');
  return fits ? { jkt: await calculateJwkThumbprint({ ...jwk }), jti } : 'proof_claims';
}

/** The public key in a proof's header; null where there is none that may sign, or one with a private part. */
function embeddedKey(proof: string): PublicJwk | null {
  try {
    return checkPublicJwk(decodeProtectedHeader(proof).jwk, 'jwk');
  } catch (error) {
    if (error instanceof BongsuError || error instanceof TypeError) return null;
    throw error;
  }
}

/** Whether a claimed URL is the expected one once both are normalised; query and fragment do not count. */
function sameUrl(claimed: unknown, expected: string): boolean {
  if (typeof claimed !== 'string' || !URL.canParse(claimed)) return false;
  const url = new URL(claimed);
  url.search = '';
  url.hash = '';
  return url.href === new URL(expected).href;
}
