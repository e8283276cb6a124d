import { BlindingError } from './errors.js';

/** Most elements under one proof: the transcript counts them in two bytes. */
export const MAX_BATCH = 0xffff;
/** Most bytes of one input: its length is written in two bytes. */
export const MAX_INPUT_BYTES = 0xffff;
/** Bytes of the PRF's output. */
export const OUTPUT_BYTES = 64;

/** @throws {BlindingError} BAD_ARGUMENT on an input longer than RFC 9497 allows */
export function requireInput(input: Uint8Array, index?: number): void {
  if (input.length > MAX_INPUT_BYTES)
    throw new BlindingError('BAD_ARGUMENT', `An input has at most ${MAX_INPUT_BYTES} bytes.`, index);
}
