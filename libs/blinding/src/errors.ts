/**
 * Why an oblivious evaluation was refused.
 * - `BAD_ARGUMENT`: a count, length or size does not fit;
 * - `BAD_ELEMENT`: not the canonical 32-byte encoding of a group element other than the identity;
 * - `BAD_SCALAR`: not the canonical 32-byte encoding of a scalar other than zero;
 * - `BAD_PROOF`: the evaluation was not made with the committed key.
 */
export type BlindingErrorCode = 'BAD_ARGUMENT' | 'BAD_ELEMENT' | 'BAD_SCALAR' | 'BAD_PROOF';

/** An expected failure of the oblivious PRF, on either side. */
export class BlindingError extends Error {
  override readonly name = 'BlindingError';

  /**
   * @param code stable code
   * @param message what is wrong, for the person who reads it
   * @param index place of the offending item in the batch, where one item is to blame
   */
  constructor(
    readonly code: BlindingErrorCode,
    message: string,
    readonly index?: number,
  ) {
    super(message);
  }
}
