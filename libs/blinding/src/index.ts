/**
 * The oblivious PRF of RFC 9497: mode VOPRF (0x01), suite ristretto255-SHA512. An evaluator holds a key and learns
 * nothing of the inputs; a client learns the outputs and nothing of the key, and checks that the committed key was used.
 *
 * Words. *input*: the bytes to be turned into a token. *blind*: a secret random scalar. *element*: a member of the
 * group, 32 bytes. *evaluation*: an element times the evaluator's key. *proof*: 64 bytes for a whole batch. *output*:
 * 64 bytes, the same for one input and key whatever the blind; a token is its first 32.
 */
export { blind, checkEvaluation, finalize, finalizeChain, type BlindState, type Hop } from './client.js';
export { PROOF_BYTES } from './dleq.js';
export { BlindingError, type BlindingErrorCode } from './errors.js';
export { evaluate, evaluateDirectly, type Evaluation } from './evaluator.js';
export { ELEMENT_BYTES, requireElement, SCALAR_BYTES } from './group.js';
export { MODE, SUITE } from './hashing.js';
export { deriveKeyPair, publicKey, SEED_BYTES, type KeyPair } from './keys.js';
export { MAX_BATCH, MAX_INPUT_BYTES, OUTPUT_BYTES } from './limits.js';
