import { readFileSync } from 'node:fs';
import { ConfigReader } from '@app/infrastructure/config';
import { queueBackend, type QueueBackend } from '@app/infrastructure/queue';
import { BongsuError } from '@app/protocol';

/** The hub's configuration, read once at boot. */
export interface HubConfig {
  host: string;
  /** 0 = any free port. */
  port: number;
  /** Undefined: the hub's own address, once it is known. */
  issuer: string | undefined;
  databaseUrl: string;
  queue: QueueBackend;
  production: boolean;
  /** Staff and regulators: `[{name, roles, jwk}]`, from the file that `PEOPLE_FILE` names. */
  people: unknown;
}

/** Secrets, apart from configuration: never logged, never printed. */
export interface HubSecrets {
  /** Private JWK that signs tokens and events. */
  signingKey: string;
}

/** @throws {BongsuError} CONFIG_INVALID with the variable's name and what was expected */
export function readHubConfig(env: NodeJS.ProcessEnv): { config: HubConfig; secrets: HubSecrets } {
  const reader = new ConfigReader(env);
  const databaseUrl = required(
    reader.databaseUrl('DATABASE_URL'),
    'DATABASE_URL',
    'a PostgreSQL URL (npm start provides an embedded one)',
  );
  const signingKey = required(
    reader.secret('HUB_SIGNING_KEY'),
    'HUB_SIGNING_KEY',
    'a private JWK, or HUB_SIGNING_KEY_FILE the path of one',
  );
  const redis = reader.url('REDIS_URL', ['redis', 'rediss']);
  const config: HubConfig = {
    host: reader.text('HUB_HOST', '127.0.0.1'),
    port: reader.port('HUB_PORT', 8200),
    issuer: reader.url('HUB_ISSUER', ['http', 'https'])?.replace(/\/$/, ''),
    databaseUrl,
    queue: queueBackend(redis, databaseUrl),
    production: reader.production,
    people: readPeople(reader.optional('PEOPLE_FILE')),
  };
  return { config, secrets: { signingKey } };
}

function required(value: string | undefined, name: string, expected: string): string {
  if (value === undefined) throw new BongsuError('CONFIG_INVALID', `${name} needs ${expected}.`, name);
  return value;
}

function readPeople(path: string | undefined): unknown {
  if (path === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new BongsuError(
      'CONFIG_INVALID',
      `PEOPLE_FILE holds "${path}" but needs the path of a readable JSON file.`,
      'PEOPLE_FILE',
    );
  }
}
