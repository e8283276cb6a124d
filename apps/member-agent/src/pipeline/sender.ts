import { DoorError, type BatchReceipt, type HubClient } from '@app/member-sdk';
import type { StateStore } from '../state/agent-state.js';
import { Backoff } from './backoff.js';
import { toCompactBatch, type Spool, type SpooledBatch } from './spool.js';

/** Failures that are the batch's own: it will never be taken. After any other it stays and is tried again. */
const HOPELESS: ReadonlySet<string> = new Set([
  'BATCH_TOO_LARGE',
  'BATCH_MALFORMED',
  'BATCH_CONFLICT',
  'BATCH_WITHDRAWN',
  'EPOCH_CLOSED',
]);

/** Told of every answer before the batch goes: what the hub refused can still be looked up in it. */
export type OnReceipt = (batch: SpooledBatch, receipt: BatchReceipt) => Promise<void>;

/** Sends spooled batches one after the other, lowest number first, and removes each after the hub's durable answer. */
export class Sender {
  private readonly retry = new Backoff(500, 60_000);
  private based = false;
  /** Why nothing is sent, in words; null while sending works. */
  trouble: string | null = null;

  constructor(
    private readonly hub: HubClient,
    private readonly spool: Spool,
    private readonly store: StateStore,
    private readonly onReceipt: OnReceipt,
    private readonly note: (text: string) => void,
  ) {}

  /** Real milliseconds until the next try after a failure. */
  get wait(): number {
    return this.retry.wait;
  }

  /**
   * Sends what is committed until the spool is empty or a call fails.
   * @returns whether all committed batches have their answer
   */
  async drain(stopped: () => boolean = () => false): Promise<boolean> {
    if (!this.retry.due) return this.spool.batches === 0;
    try {
      for (;;) {
        const number = this.spool.numbers().find((n) => n < this.store.state.nextBatch);
        if (number === undefined) return this.spool.batches === 0;
        if (stopped()) return false;
        await this.send(number);
        if (this.trouble !== null) this.note('The hub takes batches again.');
        this.trouble = null;
        this.retry.reset();
      }
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      this.retry.failed(error.retryAfterMs);
      const waiting = this.spool.batches;
      const text = `${error.message} ${waiting} batch${waiting === 1 ? ' stays' : 'es stay'} in the spool until then.`;
      if (this.trouble === null) this.note(text);
      this.trouble = text;
      return false;
    }
  }

  private async send(number: number): Promise<void> {
    const base = await this.sequenceBase();
    const batch = await this.spool.read(number);
    let receipt: BatchReceipt;
    try {
      receipt = await this.hub.submitSignals(toCompactBatch(batch, base + number));
    } catch (error) {
      // A bare 413 is a proxy's limit, which somebody can raise, not the hub's word on this batch.
      if (!(error instanceof DoorError) || !HOPELESS.has(error.code) || error.status === 413) throw error;
      await this.setAside(number, error);
      return;
    }
    await this.onReceipt(batch, receipt);
    await this.store.commit((draft) => {
      draft.answered = number;
      draft.sent.batches++;
      draft.sent.accepted += receipt.accepted;
      draft.sent.rejected += receipt.rejected;
      for (const { code } of receipt.rejections) draft.sent.byCode[code] = (draft.sent.byCode[code] ?? 0) + 1;
    });
    await this.spool.remove(number);
  }

  /** A batch that the hub will never take must not stop those after it. */
  private async setAside(number: number, error: DoorError): Promise<void> {
    await this.spool.setAside(number, `${error.code}: ${error.message}`);
    await this.store.commit((draft) => {
      draft.answered = number;
      draft.sent.setAside++;
    });
    this.note(`Batch ${number} was refused whole and set aside (set-aside/): ${error.message}`);
  }

  /**
   * What to add to a batch's number for its sequence: so that it lies above everything that the hub has, also when the
   * state folder is new, or older than the hub (restored from a copy). One batch may have arrived without its answer.
   */
  private async sequenceBase(): Promise<number> {
    const { sequenceBase, answered } = this.store.state;
    if (this.based && sequenceBase !== null) return sequenceBase;
    const last = await this.hub.lastSequence();
    let base = sequenceBase ?? last;
    if (last > base + answered + 1) {
      base = last - answered;
      this.note(
        `The hub holds newer batches (up to ${last}) than this state folder knows of: numbering goes on above.`,
      );
    }
    if (base !== sequenceBase) await this.store.commit((draft) => void (draft.sequenceBase = base));
    this.based = true;
    return base;
  }
}
