import { PROOF_BYTES, verify } from './dleq.js';
import { BlindingError } from './errors.js';
import { invertScalars, multiply, randomScalar, requireElement, requireScalar } from './group.js';
import { finalHash, hashToGroup } from './hashing.js';
import { MAX_BATCH, requireInput } from './limits.js';

/**
 * What the client keeps between asking and answer. The blinds are secret: with them an evaluator could undo the
 * blinding. Never stored or sent.
 */
export interface BlindState {
  readonly inputs: readonly Uint8Array[];
  readonly blinds: readonly Uint8Array[];
  readonly blinded: readonly Uint8Array[];
}

/** One evaluator's answer, with the public key that the client holds for it (never one that came with the answer). */
export interface Hop {
  readonly evaluated: readonly Uint8Array[];
  readonly proof: Uint8Array;
  readonly publicKey: Uint8Array;
}

/**
 * Blinds inputs for evaluation (RFC 9497 Blind).
 * @param inputs 1 to 65,535, each up to 65,535 bytes
 * @param blinds one scalar above zero for each input, for published vectors only; fresh random ones otherwise
 * @returns the elements to send, 32 bytes each in the inputs' order, and the state that {@link finalize} needs
 * @throws {BlindingError} BAD_ARGUMENT on counts and lengths, BAD_SCALAR on a given blind that is none
 */
export function blind(
  inputs: readonly Uint8Array[],
  blinds: readonly Uint8Array[] = inputs.map(() => randomScalar()),
): { state: BlindState; blinded: Uint8Array[] } {
  if (inputs.length === 0 || inputs.length > MAX_BATCH)
    throw new BlindingError('BAD_ARGUMENT', `A batch has 1 to ${MAX_BATCH} inputs, not ${inputs.length}.`);
  if (blinds.length !== inputs.length)
    throw new BlindingError('BAD_ARGUMENT', `${inputs.length} inputs need as many blinds, not ${blinds.length}.`);
  const blinded = inputs.map((input, i) => {
    requireInput(input, i);
    requireScalar(blinds[i]!, 'blind');
    return multiply(blinds[i]!, hashToGroup(input), i);
  });
  return { state: { inputs, blinds, blinded }, blinded };
}

/**
 * Checks the evaluator's proof and takes the blinds off (RFC 9497 Finalize).
 * @param state from {@link blind}
 * @param evaluated the evaluator's elements, as many and in the order sent
 * @param proof 64 bytes
 * @param publicKey the evaluator's committed key, 32 bytes, known from elsewhere than the answer
 * @returns the PRF's output for each input, 64 bytes
 * @throws {BlindingError} BAD_PROOF when another key was used, BAD_ELEMENT with the index, BAD_ARGUMENT on a wrong count
 */
export function finalize(
  state: BlindState,
  evaluated: readonly Uint8Array[],
  proof: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array[] {
  return finalizeChain(state, [{ evaluated, proof, publicKey }]);
}

/**
 * {@link finalize} for evaluators asked one after the other, each with the elements that the one before answered: the
 * output is that of the product of their keys, and every proof is checked.
 * @param hops in the order asked, at least one
 * @throws {BlindingError} as {@link finalize}
 */
export function finalizeChain(state: BlindState, hops: readonly Hop[]): Uint8Array[] {
  if (hops.length === 0) throw new BlindingError('BAD_ARGUMENT', 'At least one evaluator must have answered.');
  let elements = state.blinded;
  for (const hop of hops) {
    checkEvaluation(elements, hop);
    elements = hop.evaluated;
  }
  const inverses = invertScalars(state.blinds);
  return state.inputs.map((input, i) => finalHash(input, multiply(inverses[i]!, elements[i]!, i)));
}

/**
 * Checks one evaluator's answer without taking the blinds off: what a client does before it asks the next in a chain.
 * @param sent the elements that this evaluator was asked
 * @throws {BlindingError} BAD_PROOF, BAD_ELEMENT, BAD_ARGUMENT as {@link finalize}
 */
export function checkEvaluation(sent: readonly Uint8Array[], hop: Hop): void {
  if (hop.evaluated.length !== sent.length)
    throw new BlindingError('BAD_ARGUMENT', `${sent.length} elements were sent, ${hop.evaluated.length} came back.`);
  if (hop.proof.length !== PROOF_BYTES)
    throw new BlindingError('BAD_PROOF', `A proof has ${PROOF_BYTES} bytes, not ${hop.proof.length}.`);
  requireElement(hop.publicKey);
  hop.evaluated.forEach((element, i) => requireElement(element, i));
  if (!verify(hop.publicKey, sent, hop.evaluated, hop.proof))
    throw new BlindingError('BAD_PROOF', 'The evaluation was not made with the committed key.');
}
