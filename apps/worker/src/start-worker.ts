import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { Clock } from '@app/infrastructure/clock';
import { Database } from '@app/infrastructure/database';
import { createLogger, reasonOf } from '@app/infrastructure/logging';
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
  await app
    .get(Database)
    .ping()
    .catch((error: unknown) => {
      throw new BongsuError(
        'UNAVAILABLE',
        `PostgreSQL does not let the worker in at DATABASE_URL; start it, or mend the URL: ${reasonOf(error)}.`,
        'DATABASE_URL',
      );
    });
  createLogger('worker').info({ queue: secrets.queue.kind }, 'worker running');
  return {
    stop: async () => {
      await app.close();
      await app.get(Database).close();
    },
  };
}
