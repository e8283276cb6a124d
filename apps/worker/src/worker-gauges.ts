import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Standings } from '@app/assessments';
import { Clock } from '@app/infrastructure/clock';
import { gauge, gaugesFrom } from '@app/infrastructure/metrics';
import { Queues } from '@app/infrastructure/queue';
import { RecommendationFlow } from '@app/recommendations';

const PRINCIPAL = { kind: 'job', name: 'metrics' } as const;

/** Readings of the tables are good for this long, ms. */
const KEPT_MS = 15_000;

const UNFOLDED = gauge({ name: 'bongsu_fold_batches_waiting', help: 'Batches that wait to be folded or undone.' });
const UNFOLDED_AGE = gauge({
  name: 'bongsu_fold_oldest_batch_age_seconds',
  help: 'Time since the oldest batch that waits to be folded was received; 0 where none waits.',
});
const TO_ASSESS = gauge({
  name: 'bongsu_assess_keys_waiting',
  help: 'Keys, and days of keys, that wait to be assessed, counted up to 200000.',
});
const TO_ASSESS_AGE = gauge({
  name: 'bongsu_assess_oldest_key_age_seconds',
  help: 'Time that the oldest summarised key has waited to be assessed; 0 where none waits.',
});
const QUEUE = gauge({ name: 'bongsu_queue_jobs', help: 'Jobs by queue and state.', labels: ['queue', 'state'] });
const RECOMMENDATIONS = gauge({
  name: 'bongsu_recommendations',
  help: 'Recommendations kept, by rung and state.',
  labels: ['rung', 'state'],
});
const PENDING = gauge({
  name: 'bongsu_deliveries_pending',
  help: 'Events that wait for their receiver.',
  labels: ['member'],
});
const PENDING_AGE = gauge({
  name: 'bongsu_deliveries_oldest_pending_age_seconds',
  help: 'Time since the oldest event that waits for a receiver was issued; 0 where none waits.',
  labels: ['member'],
});
const DEAD = gauge({
  name: 'bongsu_deliveries_dead',
  help: 'Events put aside because their receiver refused them for good.',
  labels: ['member'],
});

/** The gauges that stand in tables and queues. Each worker shows the same: a query takes their maximum. */
@Injectable()
export class WorkerGauges implements OnApplicationBootstrap, OnApplicationShutdown {
  private unwatch: (() => void)[] = [];

  constructor(
    private readonly standings: Standings,
    private readonly flow: RecommendationFlow,
    private readonly queues: Queues,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    const reads = [() => this.work(), () => this.queueDepths(), () => this.recommendations(), () => this.deliveries()];
    this.unwatch = reads.map((read) => gaugesFrom(read, KEPT_MS));
  }

  onApplicationShutdown(): void {
    for (const end of this.unwatch) end();
  }

  private async work(): Promise<void> {
    const waiting = await this.standings.waiting(PRINCIPAL);
    UNFOLDED.set({}, waiting.batchesToFold);
    UNFOLDED_AGE.set({}, this.ageOf(waiting.oldestBatchAt));
    TO_ASSESS.set({}, waiting.keysToAssess);
    TO_ASSESS_AGE.set({}, waiting.oldestKeySeconds);
  }

  private async queueDepths(): Promise<void> {
    for (const { queue, state, count } of await this.queues.counts()) QUEUE.set({ queue, state }, count);
  }

  private async recommendations(): Promise<void> {
    const counts = await this.flow.byState(PRINCIPAL);
    RECOMMENDATIONS.clear();
    for (const { rung, state, count } of counts) RECOMMENDATIONS.set({ rung, state }, count);
  }

  private async deliveries(): Promise<void> {
    const members = await this.flow.undelivered(PRINCIPAL);
    for (const each of [PENDING, PENDING_AGE, DEAD]) each.clear();
    for (const { member, pending, dead, oldestAt } of members) {
      PENDING.set({ member }, pending);
      PENDING_AGE.set({ member }, this.ageOf(oldestAt));
      DEAD.set({ member }, dead);
    }
  }

  private ageOf(at: Date | null): number {
    return at === null ? 0 : Math.max(0, (this.clock.now() - at.getTime()) / 1000);
  }
}
