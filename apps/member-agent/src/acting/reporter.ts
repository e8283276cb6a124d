import { DoorError, type HubClient } from '@app/member-sdk';
import { Backoff } from '../pipeline/backoff.js';
import type { Case, Journal } from './journal.js';

/** Refusals of an outcome that no repetition will change. */
const FINAL: ReadonlySet<string> = new Set(['OUTCOME_CONFLICT', 'OUTCOME_INVALID', 'NOT_FOUND', 'BAD_INPUT']);
/** Outcomes reported at a time. */
const AT_ONCE = 4;

/** Tells the hub what was done and found, each once it is due, until the hub has it. */
export class Reporter {
  private readonly retry = new Backoff(500, 60_000);
  /** Why nothing is reported, in words; null while it works. */
  trouble: string | null = null;

  constructor(
    private readonly hub: Pick<HubClient, 'reportOutcome'>,
    private readonly journal: Journal,
    private readonly now: () => number,
    private readonly note: (text: string) => void,
  ) {}

  /** Outcomes that are due and not reported. */
  get due(): number {
    let count = 0;
    for (const item of this.journal.cases.values()) if (this.next(item) !== null) count++;
    return count;
  }

  /** Reports what is due. */
  async round(): Promise<void> {
    if (!this.retry.due) return;
    const items = [...this.journal.cases.values()].filter((item) => this.next(item) !== null);
    try {
      for (let i = 0; i < items.length; i += AT_ONCE)
        await Promise.all(items.slice(i, i + AT_ONCE).map((item) => this.report(item)));
      if (items.length === 0) return;
      this.trouble = null;
      this.retry.reset();
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      this.retry.failed(error.retryAfterMs);
      if (this.trouble === null) this.note(`${error.message} Outcomes are kept and reported later.`);
      this.trouble = error.message;
    }
  }

  private async report(item: Case): Promise<void> {
    for (let index = this.next(item); index !== null; index = this.next(item)) {
      const { outcome, reason, note, at } = item.outcomes[index]!;
      try {
        await this.hub.reportOutcome({
          recommendationId: item.id,
          outcome,
          reason,
          note,
          at: new Date(at).toISOString(),
        });
      } catch (error) {
        if (!(error instanceof DoorError) || !FINAL.has(error.code)) throw error;
        const { code, message } = error;
        await this.journal.write({ t: 'report-refused', at: this.now(), id: item.id, index, code, message });
        this.note(`The hub refused the outcome ${outcome} of ${item.id}: ${message}`);
        continue;
      }
      await this.journal.write({ t: 'reported', at: this.now(), id: item.id, index });
    }
  }

  /** Place of the first outcome not reported yet, if it is due. */
  private next(item: Case): number | null {
    const index = item.outcomes.findIndex((o) => !o.reported && o.refused === null);
    return index >= 0 && item.outcomes[index]!.at <= this.now() ? index : null;
  }
}
