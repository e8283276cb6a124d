import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { Clock } from '@app/infrastructure/clock';
import { Database } from '@app/infrastructure/database';
import { createLogger, reasonOf } from '@app/infrastructure/logging';
import type { Checks } from '@app/infrastructure/metrics';
import { Queues } from '@app/infrastructure/queue';
import { SigningKeys } from '@app/keys';
import { BongsuError } from '@app/protocol';
import { MIGRATIONS } from '../../../migrations/index.js';
import type { WorkerConfig, WorkerSecrets } from './worker-config.js';
import { WorkerModule } from './worker.module.js';

export interface RunningWorker {
  /** What it needs to do its work. */
  checks: Checks;
  /** Takes no more jobs, brings each one under way to the end of its step, then closes. */
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
    checks: {
      database: () => app.get(Database).ping(),
      migrations: () => app.get(Database).checkMigrations(MIGRATIONS.map(({ name }) => name)),
      queue: () => app.get(Queues).counts(),
      signing_key: () => app.get(SigningKeys).register(),
    },
    stop: async () => {
      await app.close();
      await app.get(Database).close();
    },
  };
}
