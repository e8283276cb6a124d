import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { algorithmsOf, BongsuError } from '@app/protocol';

const WHERE = 'BLINDER_ALLIANCE_KEY';

/**
 * Reads the alliance's public key, to which the list of members is pinned.
 * @param text JSON of a public JWK, EC P-256 or OKP Ed25519
 * @throws {BongsuError} CONFIG_INVALID, also for the private key: it has no place on this machine
 */
export function parseAllianceKey(text: string): JsonWebKey {
  let jwk: JsonWebKey | null;
  try {
    jwk = JSON.parse(text) as JsonWebKey | null;
  } catch {
    throw refused('needs a public JWK as JSON');
  }
  if (typeof jwk !== 'object' || jwk === null || algorithmsOf(jwk) === undefined)
    throw refused('needs a public JWK: EC P-256 or OKP Ed25519');
  if ('d' in jwk)
    throw refused('holds the alliance’s private key: keep that offline, replace it, and give the public one here');
  try {
    createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw refused('needs a valid public key; this one is damaged');
  }
  return jwk;
}

function refused(what: string): BongsuError {
  return new BongsuError('CONFIG_INVALID', `${WHERE} ${what}.`, WHERE);
}
