import { createHash } from 'node:crypto';
import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { type DynamicModule, Module, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { createPostgresBackend, type Queue, type QueueOptions, setDefaultBackendFactory } from 'bullmq';
import { BongsuError } from '@app/protocol';
import type { Logger } from '../logging/index.js';
import { reasonOf } from '../logging/index.js';
import { counter } from '../metrics/index.js';
import { Jobs, type JobKind, type QueueCount, Queues } from './jobs.js';
import { QUEUE_SCHEMA } from './postgres-queue.js';

/** What BullMQ keeps its jobs in. */
export type QueueBackend = { kind: 'postgres'; url: string } | { kind: 'redis'; url: string; prefix: string };

/**
 * The back end that a process's configuration asks for. On Redis the keys' prefix names the database, so that two hubs
 * on one Redis do not take each other's jobs.
 */
export function queueBackend(redisUrl: string | undefined, databaseUrl: string): QueueBackend {
  if (redisUrl === undefined) return { kind: 'postgres', url: databaseUrl };
  const { host, pathname } = new URL(databaseUrl);
  const name = createHash('sha256').update(`${host}${pathname}`).digest('hex').slice(0, 12);
  return { kind: 'redis', url: redisUrl, prefix: `bongsu-${name}` };
}

const LOST = counter({
  name: 'bongsu_wakes_lost_total',
  help: 'Jobs that could not be added in time because the queue was away; the sweep makes them good.',
  labels: ['job'],
});

/** How long a wake may take, ms. */
const WAKE_MS = 1000;

async function timeout(ms: number): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
  throw new BongsuError('UNAVAILABLE', 'The queue is away.');
}

/** How long a job may go without a sign of life before another worker takes it, ms. */
const LOCK_MS = 10_000;

/** BullMQ's connection settings for a back end; also for workers made outside Nest. */
export function queueOptions(backend: QueueBackend): QueueOptions {
  const connection =
    backend.kind === 'redis'
      ? { url: backend.url, maxRetriesPerRequest: null }
      : {
          connectionString: backend.url,
          schema: QUEUE_SCHEMA,
          max: 2,
          options: '-c role=bongsu_queue',
          keepAlive: true,
        };
  return {
    connection: connection as QueueOptions['connection'],
    prefix: backend.kind === 'redis' ? backend.prefix : 'bongsu',
  };
}

/** Puts BullMQ on a back end for this process. Call before any queue is made. */
export function chooseQueueBackend(backend: QueueBackend): void {
  if (backend.kind === 'postgres') setDefaultBackendFactory(createPostgresBackend);
  else setDefaultBackendFactory();
}

class BullJobs extends Jobs implements OnModuleInit {
  constructor(
    private readonly modules: ModuleRef,
    private readonly logger: Logger,
    private readonly kinds: readonly JobKind<unknown>[],
  ) {
    super();
  }

  /** Without a listener BullMQ prints whole error objects. */
  onModuleInit(): void {
    for (const kind of this.kinds)
      this.queueOf(kind).on('error', (error) =>
        this.logger.warn({ job: kind.name, reason: reasonOf(error) }, 'a queue connection broke'),
      );
  }

  async wake<P extends object>(kind: JobKind<P>, payload: P, once?: string): Promise<void> {
    try {
      const queue = this.queueOf(kind);
      const added = queue.add(kind.name, payload, {
        removeOnComplete: true,
        removeOnFail: 100,
        ...(once === undefined ? {} : { deduplication: { id: once, keepLastIfActive: true } }),
      });
      // Whoever wakes does not wait for a queue that is away; the job may still be added later, which does no harm.
      await Promise.race([added, timeout(WAKE_MS)]);
    } catch (error) {
      LOST.add({ job: kind.name });
      this.logger.warn({ job: kind.name, reason: reasonOf(error) }, 'a wake was lost; the sweep makes it good');
    }
  }

  private queueOf(kind: JobKind<unknown>): Queue {
    return this.modules.get<Queue>(getQueueToken(kind.name), { strict: false });
  }
}

class BullQueues extends Queues {
  constructor(
    private readonly modules: ModuleRef,
    private readonly kinds: readonly JobKind<unknown>[],
  ) {
    super();
  }

  async counts(): Promise<QueueCount[]> {
    const counts = this.kinds.map(async ({ name }) => {
      const queue = this.modules.get<Queue>(getQueueToken(name), { strict: false });
      const byState = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
      return Object.entries(byState).map(([state, count]) => ({ queue: name, state, count }));
    });
    return (await Promise.all(counts)).flat();
  }
}

/** The queues of a process: `Jobs` to wake them, `Queues` to watch them, BullMQ's tokens for processors. */
@Module({})
export class QueueModule {
  static register(backend: QueueBackend, kinds: readonly JobKind<unknown>[], logger: Logger): DynamicModule {
    chooseQueueBackend(backend);
    const queues = BullModule.registerQueue(...kinds.map((kind) => ({ name: kind.name })));
    return {
      module: QueueModule,
      global: true,
      imports: [
        BullModule.forRoot({
          ...queueOptions(backend),
          defaultJobOptions: { attempts: 3, backoff: { type: 'exponential', delay: 500 } },
        }),
        queues,
      ],
      providers: [
        {
          provide: Jobs,
          inject: [ModuleRef],
          useFactory: (modules: ModuleRef) => new BullJobs(modules, logger, kinds),
        },
        { provide: Queues, inject: [ModuleRef], useFactory: (modules: ModuleRef) => new BullQueues(modules, kinds) },
      ],
      exports: [Jobs, Queues, queues],
    };
  }
}

/** Settings of a processor: `@Processor(KIND.name, workerOptions(KIND))`. */
export function workerOptions(kind: JobKind<unknown>) {
  return { concurrency: kind.concurrency, lockDuration: LOCK_MS, stalledInterval: LOCK_MS / 2, maxStalledCount: 10 };
}
