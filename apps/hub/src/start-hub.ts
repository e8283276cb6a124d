import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { People } from '@app/identity';
import type { Clock } from '@app/infrastructure/clock';
import { Database } from '@app/infrastructure/database';
import { createLogger, reasonOf, requestIdOf, within } from '@app/infrastructure/logging';
import type { Checks } from '@app/infrastructure/metrics';
import { SigningKeys } from '@app/keys';
import { BongsuError } from '@app/protocol';
import { HubIssuer, PollDelivery } from '@app/recommendations';
import { MIGRATIONS } from '../../../migrations/index.js';
import { AppModule } from './app.module.js';
import { BoundedAdapter } from './http/bounded-adapter.js';
import { Drain } from './http/drain.js';
import { noStore, securityHeaders } from './http/headers.js';
import { measureResponses } from './http/measure.js';
import { hubLimits, type HubConfig, type HubSecrets } from './hub-config.js';
import { Gatekeeper, isGraphqlPath } from './limits/gatekeeper.js';
import { BODY_LIMITS } from './limits/limits.js';

export interface RunningHub {
  url: string;
  /** What it needs to do its work. */
  checks: Checks;
  /** Accepts no more, answers what is under way, then closes. */
  stop(): Promise<void>;
}

/**
 * Starts the hub and listens.
 * @param more modules of resolvers beside our own: for tests of what stands behind resolvers
 * @throws {BongsuError} CONFIG_INVALID for a taken port or people that do not fit; UNAVAILABLE without PostgreSQL
 */
export async function startHub(
  config: HubConfig,
  secrets: HubSecrets,
  clock: Clock,
  more: Type[] = [],
): Promise<RunningHub> {
  let url = config.issuer ?? '';
  const issuer = new HubIssuer(() => url);
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.register(config, secrets, clock, issuer, more),
    new BoundedAdapter(hubLimits(config)),
    { bodyParser: false, abortOnError: false, logger: ['error', 'fatal'] },
  );
  app.set('trust proxy', config.trustedProxies ?? []);
  const drain = new Drain();
  app.use(inContext, measureResponses, drain.lastAnswers);
  app.use(securityHeaders(config.production), noStore, app.get(Gatekeeper).before);
  const isGraphql = (request: { url?: string | undefined }) => isGraphqlPath(request.url);
  const isJson = (request: { headers: { 'content-type'?: string | undefined } }) =>
    /^application\/json\b/.test(request.headers['content-type'] ?? '');
  app.useBodyParser('json', { limit: BODY_LIMITS.graphql, type: (request) => isGraphql(request) && isJson(request) });
  app.useBodyParser('json', { limit: BODY_LIMITS.other });
  app.disable('x-powered-by');
  await app
    .get(Database)
    .ping()
    .catch((error: unknown) => {
      throw new BongsuError(
        'UNAVAILABLE',
        `PostgreSQL does not let the hub in at DATABASE_URL; start it, or mend the URL: ${reasonOf(error)}.`,
        'DATABASE_URL',
      );
    });
  if (config.people !== undefined) await app.get(People).bootstrap(config.people);
  await listen(app, config);
  const address = await app.getUrl();
  url ||= address.replace('[::1]', 'localhost');
  createLogger('hub').info({ url, queue: secrets.queue.kind }, 'hub listening');
  return {
    url,
    checks: {
      database: () => app.get(Database).ping(),
      migrations: () => app.get(Database).checkMigrations(MIGRATIONS.map(({ name }) => name)),
      signing_key: () => app.get(SigningKeys).register(),
    },
    stop: async () => {
      app.get(PollDelivery).stop();
      await drain.drain(app.getHttpServer());
      await app.close();
      await app.get(Database).close();
    },
  };
}

/** Every request under an id of its own, or the one that its caller gave it; the answer repeats it. */
function inContext(request: Request, response: Response, next: NextFunction): void {
  const requestId = requestIdOf(request.headers['x-request-id']);
  response.setHeader('x-request-id', requestId);
  within({ requestId, ...(request.ip === undefined ? {} : { from: request.ip }) }, next);
}

async function listen(app: NestExpressApplication, { port, host }: HubConfig): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    if ((error as { code?: string }).code !== 'EADDRINUSE') throw error;
    throw new BongsuError(
      'CONFIG_INVALID',
      `HUB_PORT ${port} is taken; choose another, or 0 for any free one.`,
      'HUB_PORT',
    );
  }
}
