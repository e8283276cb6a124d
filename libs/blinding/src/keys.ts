import { BlindingError } from './errors.js';
import { isZero, multiplyBase, requireScalar } from './group.js';
import { domainTag, hashToScalar, prefixed } from './hashing.js';

/** Bytes of the seed from which a key pair is derived. */
export const SEED_BYTES = 32;

/** An evaluator's key: both 32 bytes, the secret a scalar, the public an element. */
export interface KeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

const DERIVE_TAG = domainTag('DeriveKeyPair');

/**
 * The key pair for a seed (RFC 9497, 3.2.1): the same seed and info always give the same pair.
 * @param seed 32 secret bytes of full entropy
 * @param info public bytes, up to 65,535, that separate keys made of one seed
 * @throws {BlindingError} BAD_ARGUMENT on other lengths
 */
export function deriveKeyPair(seed: Uint8Array, info: Uint8Array): KeyPair {
  if (seed.length !== SEED_BYTES)
    throw new BlindingError('BAD_ARGUMENT', `A seed has ${SEED_BYTES} bytes, not ${seed.length}.`);
  if (info.length > 0xffff) throw new BlindingError('BAD_ARGUMENT', 'The info has more than 65,535 bytes.');
  for (let counter = 0; counter <= 255; counter++) {
    const secretKey = hashToScalar(Buffer.concat([seed, prefixed(info), Uint8Array.of(counter)]), DERIVE_TAG);
    if (!isZero(secretKey)) return { secretKey, publicKey: multiplyBase(secretKey) };
  }
  throw new BlindingError('BAD_ARGUMENT', 'No key can be derived from this seed.');
}

/** The public key of a secret one. @throws {BlindingError} BAD_SCALAR unless it is a canonical scalar above zero */
export function publicKey(secretKey: Uint8Array): Uint8Array {
  requireScalar(secretKey, 'secret key');
  return multiplyBase(secretKey);
}
