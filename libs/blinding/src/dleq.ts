import { BlindingError } from './errors.js';
import {
  addElements,
  isCanonicalScalar,
  multiply,
  multiplyBase,
  multiplyScalars,
  SCALAR_BYTES,
  subtractScalars,
} from './group.js';
import { domainTag, hashToScalar, prefixed, sha512, uint16 } from './hashing.js';

/** Bytes of a proof: challenge, then response. */
export const PROOF_BYTES = 2 * SCALAR_BYTES;

const SEED_TAG = prefixed(domainTag('Seed-'));
const COMPOSITE = Buffer.from('Composite');
const CHALLENGE = Buffer.from('Challenge');

/**
 * One proof that every `evaluated[i]` is `secretKey · blinded[i]` for the key behind `publicKey` (RFC 9497, 2.2.1).
 * @param random the proof's nonce: a fresh scalar above zero. A nonce used twice gives the secret key away.
 * @returns 64 bytes, challenge and response
 */
export function prove(
  secretKey: Uint8Array,
  publicKey: Uint8Array,
  blinded: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
  random: Uint8Array,
): Uint8Array {
  const m = weightedSum(weights(publicKey, blinded, evaluated), blinded);
  const z = multiply(secretKey, m);
  const c = challenge(publicKey, m, z, multiplyBase(random), multiply(random, m));
  return Buffer.concat([c, subtractScalars(random, multiplyScalars(c, secretKey))]);
}

/**
 * Whether the proof holds (RFC 9497, 2.2.2). Every element is validated on the way.
 * @throws {BlindingError} BAD_ELEMENT on an element or public key that is not valid
 */
export function verify(
  publicKey: Uint8Array,
  blinded: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
  proof: Uint8Array,
): boolean {
  if (proof.length !== PROOF_BYTES) return false;
  const c = proof.subarray(0, SCALAR_BYTES);
  const s = proof.subarray(SCALAR_BYTES);
  if (!isCanonicalScalar(c) || !isCanonicalScalar(s)) return false;
  const d = weights(publicKey, blinded, evaluated);
  const m = weightedSum(d, blinded);
  const z = weightedSum(d, evaluated);
  try {
    const t2 = addElements(multiplyBase(s), multiply(c, publicKey));
    const t3 = addElements(multiply(s, m), multiply(c, z));
    return Buffer.from(challenge(publicKey, m, z, t2, t3)).equals(c);
  } catch {
    // A zero among c and s, or sums that vanish: an honest prover meets either with probability 2^-252.
    return false;
  }
}

/** The factors that fold a batch into one pair: each depends on the key and on its own pair (ComputeComposites). */
function weights(publicKey: Uint8Array, blinded: readonly Uint8Array[], evaluated: readonly Uint8Array[]) {
  const seed = prefixed(sha512(prefixed(publicKey), SEED_TAG));
  return blinded.map((c, i) =>
    hashToScalar(Buffer.concat([seed, uint16(i), prefixed(c), prefixed(evaluated[i]!), COMPOSITE])),
  );
}

function weightedSum(factors: readonly Uint8Array[], elements: readonly Uint8Array[]): Uint8Array {
  let sum: Uint8Array | undefined;
  for (const [i, element] of elements.entries()) {
    const term = multiply(factors[i]!, element, i);
    sum = sum === undefined ? term : addElements(sum, term);
  }
  if (sum === undefined) throw new BlindingError('BAD_ARGUMENT', 'A proof covers at least one element.');
  return sum;
}

function challenge(...elements: Uint8Array[]): Uint8Array {
  return hashToScalar(Buffer.concat([...elements.map(prefixed), CHALLENGE]));
}
