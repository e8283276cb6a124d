import { parentPort, workerData } from 'node:worker_threads';
import { BlindingError, evaluate } from '@app/blinding';
import { joinElements, splitElements } from './elements.js';

/** What the worker is started with. */
export interface WorkerSetup {
  readonly secretKey: Uint8Array;
}

/** One batch: the elements joined, 32 bytes each. */
export interface WorkerRequest {
  readonly id: number;
  readonly blinded: Uint8Array;
}

/** The answer to a batch: the evaluated elements joined and their proof, or why there is none. */
export type WorkerResponse =
  | { readonly id: number; readonly evaluated: Uint8Array; readonly proof: Uint8Array }
  | { readonly id: number; readonly refused: string };

// An error other than a refusal ends the thread: the side that started it then refuses what is pending and starts anew.
parentPort?.on('message', ({ id, blinded }: WorkerRequest) => {
  const { secretKey } = workerData as WorkerSetup;
  let response: WorkerResponse;
  try {
    const { evaluated, proof } = evaluate(secretKey, splitElements(blinded));
    response = { id, evaluated: joinElements(evaluated), proof: Uint8Array.from(proof) };
  } catch (error) {
    if (!(error instanceof BlindingError)) throw error;
    response = { id, refused: error.message };
  }
  parentPort?.postMessage(response);
});
