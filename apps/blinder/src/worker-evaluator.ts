import { Worker } from 'node:worker_threads';
import { ELEMENT_BYTES, type Evaluation } from '@app/blinding';
import { BongsuError } from '@app/protocol';
import type { Logger } from '@app/infrastructure/logging';
import { joinElements, splitElements } from './elements.js';
import type { WorkerRequest, WorkerResponse, WorkerSetup } from './evaluate-worker.js';
import { badElements, Evaluator } from './evaluator.js';

/** Elements that may wait at once: about ten seconds of one thread's work. */
const MAX_PENDING_ELEMENTS = 20_000;

interface Pending {
  readonly elements: number;
  readonly resolve: (evaluation: Evaluation) => void;
  readonly reject: (error: Error) => void;
}

/** Evaluates on one worker thread, so that the door keeps answering; a thread that died is replaced at the next batch. */
export class WorkerEvaluator extends Evaluator {
  private worker: Worker | undefined;
  private readonly pending = new Map<number, Pending>();
  private pendingElements = 0;
  private lastId = 0;
  private closed = false;

  /** @param script the compiled `evaluate-worker` */
  constructor(
    private readonly secretKey: Uint8Array,
    private readonly log: Logger,
    private readonly script: URL = new URL('./evaluate-worker.js', import.meta.url),
  ) {
    super();
    // At once, so that the first batch does not wait for the thread to load.
    this.worker = this.start();
  }

  override evaluate(blinded: readonly Uint8Array[]): Promise<Evaluation> {
    const wrong = blinded.findIndex((element) => element.length !== ELEMENT_BYTES);
    if (wrong >= 0) return Promise.reject(badElements(`Element ${wrong} does not have ${ELEMENT_BYTES} bytes.`));
    if (this.closed) return Promise.reject(unavailable('The blinder is stopping.'));
    if (this.pendingElements + blinded.length > MAX_PENDING_ELEMENTS)
      return Promise.reject(unavailable('Too many elements are waiting; try again in a few seconds.'));
    const worker = (this.worker ??= this.start());
    const id = ++this.lastId;
    return new Promise<Evaluation>((resolve, reject) => {
      this.pending.set(id, { elements: blinded.length, resolve, reject });
      this.pendingElements += blinded.length;
      const request: WorkerRequest = { id, blinded: joinElements(blinded) };
      worker.postMessage(request);
    });
  }

  override async close(): Promise<void> {
    this.closed = true;
    await this.worker?.terminate();
  }

  private start(): Worker {
    const setup: WorkerSetup = { secretKey: this.secretKey };
    // The environment may hold the seed: the thread needs none of it.
    const worker = new Worker(this.script, { workerData: setup, env: {} });
    worker.on('message', (response: WorkerResponse) => this.settle(response));
    worker.on('error', (error) => this.log.error({ err: error }, 'evaluation thread failed'));
    worker.on('exit', () => {
      this.worker = undefined;
      for (const id of [...this.pending.keys()]) this.take(id)?.reject(unavailable('The evaluation was interrupted.'));
    });
    return worker;
  }

  private settle(response: WorkerResponse): void {
    const pending = this.take(response.id);
    if (pending === undefined) return;
    if ('refused' in response) pending.reject(badElements(response.refused));
    else pending.resolve({ evaluated: splitElements(response.evaluated), proof: response.proof });
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    this.pendingElements -= pending?.elements ?? 0;
    return pending;
  }
}

function unavailable(message: string): BongsuError {
  return new BongsuError('UNAVAILABLE', message);
}
