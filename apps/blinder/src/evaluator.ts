import { BlindingError, evaluate, type Evaluation } from '@app/blinding';
import { BongsuError } from '@app/protocol';

/** Evaluates batches with the secret key that it alone holds. */
export abstract class Evaluator {
  /**
   * @param blinded elements as they came, unchecked
   * @throws {BongsuError} BAD_INPUT on an element that is none, UNAVAILABLE when it cannot be done now
   */
  abstract evaluate(blinded: readonly Uint8Array[]): Promise<Evaluation>;
  abstract close(): Promise<void>;
}

/** Evaluates on the calling thread: for tests and one-off tools, never for a door that must keep answering. */
export class InlineEvaluator extends Evaluator {
  constructor(private readonly secretKey: Uint8Array) {
    super();
  }

  override async evaluate(blinded: readonly Uint8Array[]): Promise<Evaluation> {
    try {
      return evaluate(this.secretKey, blinded);
    } catch (error) {
      throw error instanceof BlindingError ? badElements(error.message) : error;
    }
  }

  override async close(): Promise<void> {}
}

/** The refusal for a batch that the library would not evaluate. */
export function badElements(message: string): BongsuError {
  return new BongsuError('BAD_INPUT', message, 'elements');
}
