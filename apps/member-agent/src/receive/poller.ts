import { BongsuError, DoorError, type HubClient } from '@app/member-sdk';
import { Backoff } from '../pipeline/backoff.js';
import type { Receiver } from './receiver.js';

/** Fetches events by polling (RFC 8936). What one call brought is acknowledged by the next, once it is journalled. */
export class Poller {
  private ack: string[] = [];
  private setErrs: Record<string, { err: string; description: string }> = {};
  private readonly retry = new Backoff(500, 60_000);
  /** Why nothing is fetched, in words; null while it works. */
  trouble: string | null = null;

  constructor(
    private readonly hub: Pick<HubClient, 'poll'>,
    private readonly receiver: Receiver,
    private readonly note: (text: string) => void,
  ) {}

  /** Real milliseconds until the next try after a failure. */
  get wait(): number {
    return this.retry.wait;
  }

  /**
   * Fetches, journals and acknowledges until there is nothing more.
   * @param waitMs how long the hub may hold the first call open
   * @returns how many events came; failures are kept in `trouble`
   */
  async round(waitMs: number, signal?: AbortSignal): Promise<number> {
    let received = 0;
    try {
      for (let first = true; ; first = false) {
        const { ack, setErrs } = this;
        const failed = Object.keys(setErrs).length > 0;
        const answer = await this.hub.poll(ack, {
          waitMs: first ? waitMs : 0,
          ...(failed ? { setErrs } : {}),
          ...(signal ? { signal } : {}),
        });
        this.ack = [];
        this.setErrs = {};
        const sets = Object.entries(answer.sets);
        for (const [jti, set] of sets) await this.take(jti, set);
        received += sets.length;
        if (this.trouble !== null) this.note('Polling works again.');
        this.trouble = null;
        this.retry.reset();
        if (sets.length === 0 && !answer.moreAvailable) return received;
      }
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      if (signal?.aborted) return received;
      this.retry.failed(error.retryAfterMs);
      if (this.trouble === null) this.note(error.message);
      this.trouble = error.message;
      return received;
    }
  }

  private async take(jti: string, set: string): Promise<void> {
    try {
      this.ack.push(await this.receiver.take(set));
    } catch (error) {
      if (!(error instanceof BongsuError)) throw error;
      this.note(`Event ${jti} was refused (${error.where}): ${error.message}`);
      this.setErrs[jti] = { err: error.where ?? 'invalid_request', description: error.message };
    }
  }
}
