import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { type DynamicModule, Global, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { GraphQLModule } from '@nestjs/graphql';
import { ASSESS, AssessmentsModule } from '@app/assessments';
import { AuditModule } from '@app/audit';
import { IdentityModule } from '@app/identity';
import { Clock } from '@app/infrastructure/clock';
import { Database, TypeOrmDatabase } from '@app/infrastructure/database';
import { createLogger } from '@app/infrastructure/logging';
import { QueueModule } from '@app/infrastructure/queue';
import { KeysModule } from '@app/keys';
import { HubIssuer, RecommendationsModule } from '@app/recommendations';
import { Reports } from '@app/reports';
import { ERASE, Erasures, FOLD, ROTATE, SignalsModule } from '@app/signals';
import { StandardModule } from '@app/standard';
import { AccessGuard } from './auth/access.guard.js';
import { ENTITIES } from './entities.js';
import { costLimit, DOCUMENT_RULES } from './graphql/document-limits.js';
import { EpochsResolver } from './epochs/epochs.resolver.js';
import { ErasuresResolver } from './erasures/erasures.resolver.js';
import { ErrorsFilter } from './graphql/errors.filter.js';
import { formatError } from './graphql/format-error.js';
import { MetricsPlugin } from './graphql/metrics.plugin.js';
import { Base64Scalar } from './graphql/scalars.js';
import { TimeLimit } from './graphql/time-limit.interceptor.js';
import { type DocumentRequest, useTrustedDocument } from './graphql/trusted-documents.js';
import { HealthController } from './http/health.controller.js';
import { OauthController } from './http/oauth.controller.js';
import { PollController } from './http/poll.controller.js';
import { hubLimits, type HubConfig, type HubSecrets } from './hub-config.js';
import { SigningKeysResolver } from './keys/signing-keys.resolver.js';
import { Gatekeeper } from './limits/gatekeeper.js';
import { DOCUMENT_LIMITS, STATEMENT_MS } from './limits/limits.js';
import { MembersResolver } from './members/members.resolver.js';
import { AuditResolver } from './oversight/audit.resolver.js';
import { FlowResolver } from './oversight/flow.resolver.js';
import { OversightResolver } from './oversight/oversight.resolver.js';
import { RecommendationsResolver } from './recommendations/recommendations.resolver.js';
import { ReportsResolver } from './reports/reports.resolver.js';
import { SignalsResolver } from './signals/signals.resolver.js';
import { StandardResolver } from './standard/standard.resolver.js';
import { WarningListsResolver } from './warning-lists/warning-lists.resolver.js';

/** Everything that the schema is made of. */
export const RESOLVERS = [
  SignalsResolver,
  ErasuresResolver,
  RecommendationsResolver,
  StandardResolver,
  ReportsResolver,
  MembersResolver,
  SigningKeysResolver,
  OversightResolver,
  FlowResolver,
  AuditResolver,
  WarningListsResolver,
  EpochsResolver,
];
export const SCALARS = [Base64Scalar];

/** Every route beside GraphQL. */
export const CONTROLLERS = [OauthController, HealthController, PollController];

@Global()
@Module({})
class EdgeModule {
  static register(secrets: HubSecrets, clock: Clock, issuer: HubIssuer): DynamicModule {
    const logger = createLogger('hub');
    const database = new TypeOrmDatabase({
      url: secrets.databaseUrl,
      role: 'bongsu_hub',
      poolSize: 10,
      statementTimeoutMs: STATEMENT_MS,
      entities: ENTITIES,
      onPoolError: (error) => logger.warn({ reason: error.message }, 'a database connection broke'),
    });
    return {
      module: EdgeModule,
      providers: [
        { provide: Database, useValue: database },
        { provide: Clock, useValue: clock },
        { provide: HubIssuer, useValue: issuer },
      ],
      exports: [Database, Clock, HubIssuer],
    };
  }
}

/** The hub: wiring only. */
@Module({})
export class AppModule {
  /** @param more modules of resolvers beside our own */
  static register(
    config: HubConfig,
    secrets: HubSecrets,
    clock: Clock,
    issuer: HubIssuer,
    more: Type[] = [],
  ): DynamicModule {
    const { production, pushAllowPrivate } = config;
    const limits = hubLimits(config);
    return {
      module: AppModule,
      imports: [
        EdgeModule.register(secrets, clock, issuer),
        QueueModule.register(secrets.queue, [FOLD, ASSESS, ERASE, ROTATE], createLogger('hub')),
        KeysModule.forRoot({ signingKey: secrets.signingKey }),
        AuditModule,
        IdentityModule.forRoot({
          issuer: () => issuer.url,
          production,
          pushAllowPrivate,
          issuers: config.issuers ?? [],
        }),
        StandardModule,
        SignalsModule,
        AssessmentsModule,
        RecommendationsModule,
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          autoSchemaFile: true,
          sortSchema: true,
          parseOptions: { maxTokens: DOCUMENT_LIMITS.tokens },
          validationRules: DOCUMENT_RULES,
          plugins: [costLimit],
          introspection: !production,
          hideSchemaDetailsFromClientErrors: production,
          allowBatchedHttpRequests: false,
          csrfPrevention: true,
          // Apollo's own would remember what anybody sends.
          persistedQueries: false,
          graphiql: false,
          playground: false,
          includeStacktraceInErrorResponses: false,
          // 401 and 503 are for HTTP clients too: proxies and retries go by them.
          preserveHttpStatusForExecutionErrors: false,
          formatError,
          context: ({ req }: { req: DocumentRequest }) => {
            useTrustedDocument(req);
            return { req };
          },
        }),
        ...more,
      ],
      controllers: CONTROLLERS,
      providers: [
        Reports,
        Erasures,
        ...RESOLVERS,
        ...SCALARS,
        MetricsPlugin,
        {
          provide: Gatekeeper,
          inject: [Database],
          useFactory: (database: Database) =>
            new Gatekeeper(database, limits, config.membersTrustedDocumentsOnly ?? false),
        },
        { provide: APP_INTERCEPTOR, useValue: new TimeLimit(limits.graphqlMs) },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ErrorsFilter },
      ],
    };
  }
}
