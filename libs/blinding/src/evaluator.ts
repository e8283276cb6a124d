import { prove } from './dleq.js';
import { BlindingError } from './errors.js';
import { multiply, multiplyBase, randomScalar, requireElement, requireScalar } from './group.js';
import { finalHash, hashToGroup } from './hashing.js';
import { MAX_BATCH, requireInput } from './limits.js';

/** What an evaluator answers to a batch. */
export interface Evaluation {
  /** 32 bytes each, in the order asked. */
  readonly evaluated: Uint8Array[];
  /** 64 bytes: one proof for the whole batch. */
  readonly proof: Uint8Array;
}

/**
 * Evaluates a batch of blinded elements with the secret key and proves it (RFC 9497 BlindEvaluate, VOPRF mode).
 * All or nothing: one bad element refuses the batch before any evaluation.
 * @param secretKey 32 bytes
 * @param blinded 1 to 65,535 elements of 32 bytes
 * @param proofRandom the proof's nonce, for published vectors only: it must never be used twice
 * @throws {BlindingError} BAD_SCALAR on a bad key, BAD_ELEMENT with the index, BAD_ARGUMENT on the batch's size
 */
export function evaluate(
  secretKey: Uint8Array,
  blinded: readonly Uint8Array[],
  proofRandom: Uint8Array = randomScalar(),
): Evaluation {
  requireScalar(secretKey, 'secret key');
  requireScalar(proofRandom, "proof's nonce");
  if (blinded.length === 0 || blinded.length > MAX_BATCH)
    throw new BlindingError('BAD_ARGUMENT', `A batch has 1 to ${MAX_BATCH} elements, not ${blinded.length}.`);
  blinded.forEach((element, i) => requireElement(element, i));
  const evaluated = blinded.map((element, i) => multiply(secretKey, element, i));
  return { evaluated, proof: prove(secretKey, multiplyBase(secretKey), blinded, evaluated, proofRandom) };
}

/**
 * The PRF itself, for one who holds the key (RFC 9497 Evaluate): what a client gets obliviously.
 * @param input up to 65,535 bytes
 * @returns 64 bytes
 * @throws {BlindingError} BAD_SCALAR on a bad key, BAD_ARGUMENT on an input too long
 */
export function evaluateDirectly(secretKey: Uint8Array, input: Uint8Array): Uint8Array {
  requireScalar(secretKey, 'secret key');
  requireInput(input);
  return finalHash(input, multiply(secretKey, hashToGroup(input)));
}
