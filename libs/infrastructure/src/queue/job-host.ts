import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Job } from 'bullmq';
import { createLogger, reasonOf } from '../logging/index.js';
import { counter } from '../metrics/index.js';

const FAILED = counter({
  name: 'bongsu_job_failures_total',
  help: 'Jobs that failed, each attempt counted.',
  labels: ['job'],
});

/**
 * What every processor extends: a connection that breaks, or a job that fails, is told in one line; a job that goes on
 * until nothing waits asks {@link stopping} between its steps.
 */
export abstract class JobHost extends WorkerHost implements OnModuleDestroy {
  private stops = false;
  /** Whether the process is ending: a job then leaves what it has not begun. */
  protected readonly stopping = (): boolean => this.stops;
  private readonly queueLogger = createLogger('queue');

  onModuleDestroy(): void {
    this.stops = true;
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.queueLogger.warn({ job: this.worker.name, reason: reasonOf(error) }, 'a queue connection broke');
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job | undefined, error: Error): void {
    const { name, attemptsMade } = job ?? { name: this.worker.name, attemptsMade: 0 };
    FAILED.add({ job: name });
    this.queueLogger.error({ job: name, attempt: attemptsMade, reason: reasonOf(error) }, 'a job failed');
  }
}
