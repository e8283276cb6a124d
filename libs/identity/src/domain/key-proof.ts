import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import { assertionFault } from './client-assertion.js';
import { assertionAlgorithm, type PublicJwk } from './public-jwk.js';

/** How long a key still signs in after the next one has taken its place, ms: a week, for machines that get it late. */
export const PREVIOUS_KEY_MS = 7 * 24 * 3_600_000;

const LONGEST_PROOF = 4096;

/**
 * Checks that whoever hands in a new key holds it: a compact JWS by that key, of type `bongsu-key-proof+jwt`, with the
 * claims of an assertion (RFC 7523): issuer and subject the client, audience the hub, five minutes at most, an id.
 * @param now milliseconds since 1970
 * @returns the proof's id, which counts once; null where the proof does not hold
 */
export async function checkKeyProof(
  proof: string,
  expected: { jwk: PublicJwk; clientId: string; audience: string; now: number },
): Promise<string | null> {
  const { jwk, clientId, audience, now } = expected;
  if (proof.length > LONGEST_PROOF) return null;
  try {
    const { payload } = await jwtVerify(proof, createPublicKey({ key: { ...jwk }, format: 'jwk' }), {
      algorithms: [assertionAlgorithm(jwk)],
      typ: 'bongsu-key-proof+jwt',
      issuer: clientId,
      subject: clientId,
      audience,
      currentDate: new Date(now),
    });
    return assertionFault(payload, now / 1000) === null ? payload.jti! : null;
  } catch {
    return null;
  }
}
