import { ConfigReader } from '@app/infrastructure/config';
import { queueBackend, type QueueBackend } from '@app/infrastructure/queue';
import { BongsuError } from '@app/protocol';

/** The worker's configuration, read once at boot. */
export interface WorkerConfig {
  production: boolean;
  /** Private ranges in which members' endpoints may lie, CIDR notation. */
  pushAllowPrivate: string[];
  /** The hub's public URL: what events name as their issuer. */
  issuer: string;
  /** How often the sweep looks for work whose wake was lost, ms of real time. */
  sweepMs: number;
}

/** Secrets, apart from configuration: never logged, never printed. URLs are among them for their passwords. */
export interface WorkerSecrets {
  databaseUrl: string;
  queue: QueueBackend;
  signingKey: string;
}

/** @throws {BongsuError} CONFIG_INVALID with the variable's name and what was expected */
export function readWorkerConfig(env: NodeJS.ProcessEnv): { config: WorkerConfig; secrets: WorkerSecrets } {
  const reader = new ConfigReader(env);
  const secret = (name: string, expected: string) => {
    const value = reader.secret(name);
    if (value === undefined) throw new BongsuError('CONFIG_INVALID', `${name} needs ${expected}.`, name);
    return value;
  };
  const databaseUrl = reader.databaseUrl('DATABASE_URL');
  if (databaseUrl === undefined)
    throw new BongsuError(
      'CONFIG_INVALID',
      'DATABASE_URL needs a PostgreSQL URL (npm start provides an embedded one).',
      'DATABASE_URL',
    );
  const signingKey = secret('HUB_SIGNING_KEY', 'a private JWK, or HUB_SIGNING_KEY_FILE the path of one');
  const redis = reader.secretUrl('REDIS_URL', ['redis', 'rediss']);
  const issuer = reader.url('HUB_ISSUER', ['http', 'https']);
  if (issuer === undefined)
    throw new BongsuError('CONFIG_INVALID', 'HUB_ISSUER needs the hub’s public URL.', 'HUB_ISSUER');
  return {
    config: {
      production: reader.production,
      pushAllowPrivate: reader.privateRanges('PUSH_ALLOW_PRIVATE'),
      issuer: issuer.replace(/\/$/, ''),
      sweepMs: reader.whole('SWEEP_MS', 1000, 100, 600_000),
    },
    secrets: { databaseUrl, queue: queueBackend(redis, databaseUrl), signingKey },
  };
}
