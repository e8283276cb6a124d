import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { createLogger, reasonOf } from '../logging/index.js';

/** What every processor extends: a connection that breaks is told in one line, and BullMQ tries it again. */
export abstract class JobHost extends WorkerHost {
  private readonly queueLogger = createLogger('queue');

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.queueLogger.warn({ job: this.worker.name, reason: reasonOf(error) }, 'a queue connection broke');
  }
}
