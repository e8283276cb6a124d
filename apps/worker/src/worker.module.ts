import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Assess, ASSESS, AssessmentsModule, RungRises } from '@app/assessments';
import { AuditEntryEntity, AuditModule } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, TypeOrmDatabase } from '@app/infrastructure/database';
import { createLogger } from '@app/infrastructure/logging';
import { Outgoing } from '@app/infrastructure/outgoing';
import { checkHandlers, QueueModule } from '@app/infrastructure/queue';
import { KeysModule, SigningKeyEntity } from '@app/keys';
import {
  DELIVER,
  ForgetKeys,
  HubIssuer,
  IssueRecommendations,
  OutcomeEntity,
  PushDelivery,
  RecommendationEntity,
  RecommendationFlow,
} from '@app/recommendations';
import { REPORT, Reports } from '@app/reports';
import {
  BatchEntity,
  Erase,
  ERASE,
  FOLD,
  KeyFollowers,
  Retain,
  RETAIN,
  Rotate,
  ROTATE,
  SignalsModule,
} from '@app/signals';
import { StandardEntity, StandardModule } from '@app/standard';
import { AssessProcessor } from './processors/assess.processor.js';
import { DeliverProcessor } from './processors/deliver.processor.js';
import { EraseProcessor } from './processors/erase.processor.js';
import { FoldProcessor } from './processors/fold.processor.js';
import { ReportProcessor } from './processors/report.processor.js';
import { RetainProcessor } from './processors/retain.processor.js';
import { RotateProcessor } from './processors/rotate.processor.js';
import { Sweep } from './sweep.js';
import { SweepInterval } from './sweep-interval.js';
import { WorkerGauges } from './worker-gauges.js';
import type { WorkerConfig, WorkerSecrets } from './worker-config.js';

/** Every kind of job, and who does it. */
export const KINDS = [FOLD, ASSESS, DELIVER, REPORT, RETAIN, ERASE, ROTATE];
export const PROCESSORS = [
  FoldProcessor,
  AssessProcessor,
  DeliverProcessor,
  ReportProcessor,
  RetainProcessor,
  EraseProcessor,
  RotateProcessor,
];

/** Metadata key of @nestjs/bullmq's processors: the queue that a class handles. */
const PROCESSOR_METADATA = 'bullmq:processor_metadata';

@Global()
@Module({})
class EdgeModule {
  static register(config: WorkerConfig, secrets: WorkerSecrets, clock: Clock): DynamicModule {
    const logger = createLogger('worker');
    const database = new TypeOrmDatabase({
      url: secrets.databaseUrl,
      role: 'bongsu_worker',
      poolSize: 8,
      entities: [AuditEntryEntity, BatchEntity, OutcomeEntity, RecommendationEntity, SigningKeyEntity, StandardEntity],
      onPoolError: (error) => logger.warn({ reason: error.message }, 'a database connection broke'),
    });
    return {
      module: EdgeModule,
      providers: [
        { provide: Database, useValue: database },
        { provide: Clock, useValue: clock },
        { provide: HubIssuer, useValue: new HubIssuer(() => config.issuer) },
      ],
      exports: [Database, Clock, HubIssuer],
    };
  }
}

/** The worker: wiring only. */
@Module({})
export class WorkerModule {
  /** @throws {BongsuError} CONFIG_INVALID where a kind of job has no processor, or two */
  static register(config: WorkerConfig, secrets: WorkerSecrets, clock: Clock, processors = PROCESSORS): DynamicModule {
    const { production, pushAllowPrivate } = config;
    checkHandlers(
      KINDS,
      processors.map((p) => (Reflect.getMetadata(PROCESSOR_METADATA, p) as { name: string }).name),
    );
    return {
      module: WorkerModule,
      imports: [
        EdgeModule.register(config, secrets, clock),
        QueueModule.register(secrets.queue, KINDS, createLogger('worker')),
        KeysModule.forRoot({ signingKey: secrets.signingKey }),
        AuditModule,
        StandardModule,
        SignalsModule,
        AssessmentsModule,
      ],
      providers: [
        Assess,
        { provide: RungRises, useClass: IssueRecommendations },
        { provide: Outgoing, useValue: new Outgoing({ production, allowPrivate: pushAllowPrivate }) },
        PushDelivery,
        Reports,
        { provide: KeyFollowers, useClass: ForgetKeys },
        Retain,
        Erase,
        Rotate,
        { provide: SweepInterval, useValue: new SweepInterval(config.sweepMs) },
        Sweep,
        RecommendationFlow,
        WorkerGauges,
        ...processors,
      ],
    };
  }
}
