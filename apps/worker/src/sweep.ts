import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Assess, ASSESS, Standings } from '@app/assessments';
import { createLogger, reasonOf } from '@app/infrastructure/logging';
import { Jobs } from '@app/infrastructure/queue';
import { DELIVER, PushDelivery } from '@app/recommendations';
import { REPORT } from '@app/reports';
import { Erase, ERASE, FOLD, Retain, RETAIN, Rotate, ROTATE } from '@app/signals';
import { SweepInterval } from './sweep-interval.js';

/** Reports are looked at in every so many sweeps. */
const REPORT_EVERY = 30;
const PRINCIPAL = { kind: 'job', name: 'sweep' } as const;

/**
 * Wakes the jobs for whatever the tables say is still to do: a wake that was lost costs a sweep's interval, no more.
 * A timer, not a queue job: it must go on when the queue has lost everything.
 */
@Injectable()
export class Sweep implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = createLogger('sweep');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private count = 0;

  constructor(
    private readonly standings: Standings,
    private readonly assess: Assess,
    private readonly delivery: PushDelivery,
    private readonly retain: Retain,
    private readonly erase: Erase,
    private readonly rotate: Rotate,
    private readonly jobs: Jobs,
    private readonly interval: SweepInterval,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.running;
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      this.running = this.sweep()
        .catch((error: unknown) =>
          this.logger.warn({ reason: reasonOf(error) }, 'a sweep failed; the next one tries again'),
        )
        .then(() => {
          if (this.timer) this.schedule();
        });
    }, this.interval.ms);
  }

  private async sweep(): Promise<void> {
    await this.assess.queueAged();
    const backlog = await this.standings.backlog(PRINCIPAL);
    if (backlog.batchesToFold > 0) await this.jobs.wake(FOLD, {}, 'fold');
    if (backlog.keysToAssess + backlog.outcomesToApply > 0) await this.jobs.wake(ASSESS, {}, 'assess');
    if (backlog.deliveriesPending > 0)
      for (const memberId of await this.delivery.membersDue())
        await this.jobs.wake(DELIVER, { memberId }, `deliver-${memberId}`);
    if (await this.retain.due()) await this.jobs.wake(RETAIN, {}, 'retain');
    if ((await this.erase.pending()) > 0) await this.jobs.wake(ERASE, {}, 'erase');
    if (await this.rotate.due()) await this.jobs.wake(ROTATE, {}, 'rotate');
    if (this.count++ % REPORT_EVERY === 0) await this.jobs.wake(REPORT, {}, 'report');
  }
}
