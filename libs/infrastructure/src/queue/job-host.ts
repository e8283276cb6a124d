import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import type { Job } from 'bullmq';
import { createLogger, reasonOf } from '../logging/index.js';

/** What every processor extends: a connection that breaks, or a job that fails, is told in one line. */
export abstract class JobHost extends WorkerHost {
  private readonly queueLogger = createLogger('queue');

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.queueLogger.warn({ job: this.worker.name, reason: reasonOf(error) }, 'a queue connection broke');
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job | undefined, error: Error): void {
    const { name, attemptsMade } = job ?? { name: this.worker.name, attemptsMade: 0 };
    this.queueLogger.error({ job: name, attempt: attemptsMade, reason: reasonOf(error) }, 'a job failed');
  }
}
