import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { Clock } from '@app/infrastructure/clock';
import { Database } from '@app/infrastructure/database';
import { createLogger } from '@app/infrastructure/logging';
import { BongsuError } from '@app/protocol';
import type { WorkerConfig, WorkerSecrets } from './worker-config.js';
import { WorkerModule } from './worker.module.js';

export interface RunningWorker {
  stop(): Promise<void>;
}

/** @throws {BongsuError} CONFIG_INVALID for a job without a processor; UNAVAILABLE without PostgreSQL */
export async function startWorker(config: WorkerConfig, secrets: WorkerSecrets, clock: Clock): Promise<RunningWorker> {
  const app = await NestFactory.createApplicationContext(WorkerModule.register(config, secrets, clock), {
    abortOnError: false,
    logger: ['error', 'fatal'],
  });
  if (!(await app.get(Database).alive()))
    throw new BongsuError(
      'UNAVAILABLE',
      'PostgreSQL does not answer at DATABASE_URL; start it, then the worker.',
      'DATABASE_URL',
    );
  createLogger('worker').info({ queue: config.queue.kind }, 'worker running');
  return {
    stop: async () => {
      await app.close();
      await app.get(Database).close();
    },
  };
}
