import { readFileSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import { checkIssuers, type ExternalIssuer } from '@app/identity';
import { ConfigReader } from '@app/infrastructure/config';
import { queueBackend, type QueueBackend } from '@app/infrastructure/queue';
import { BongsuError } from '@app/protocol';
import { DEFAULT_LIMITS, type HubLimits } from './limits/limits.js';

/** The hub's configuration, read once at boot. */
export interface HubConfig {
  host: string;
  /** 0 = any free port. */
  port: number;
  /** Undefined: the hub's own address, once it is known. */
  issuer: string | undefined;
  production: boolean;
  /** Private ranges in which members' endpoints may lie, CIDR notation. */
  pushAllowPrivate: string[];
  /** Staff and regulators: `[{name, roles, jwk}]`, from the file that `PEOPLE_FILE` names. */
  people: unknown;
  /** Others' authorization servers whose tokens are taken, from the file that `OAUTH_ISSUERS_FILE` names. */
  issuers?: ExternalIssuer[];
  /** Whether members may only send documents that the hub knows; no, unless given. */
  membersTrustedDocumentsOnly?: boolean;
  /** Addresses and networks whose word on where a request comes from (X-Forwarded-For) counts; none, unless given. */
  trustedProxies?: string[];
  /** What differs from the limits that hold everywhere. */
  limits?: Partial<HubLimits>;
}

/** The limits that a configuration asks for. */
export function hubLimits({ limits }: HubConfig): HubLimits {
  return { ...DEFAULT_LIMITS, ...limits };
}

/** Secrets, apart from configuration: never logged, never printed. URLs are among them for their passwords. */
export interface HubSecrets {
  databaseUrl: string;
  queue: QueueBackend;
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
  const redis = reader.secretUrl('REDIS_URL', ['redis', 'rediss']);
  const rate = (name: string, fallback: number) => reader.whole(name, fallback, 1, 10_000_000);
  const config: HubConfig = {
    host: reader.text('HUB_HOST', '127.0.0.1'),
    port: reader.port('HUB_PORT', 8200),
    issuer: reader.url('HUB_ISSUER', ['http', 'https'])?.replace(/\/$/, ''),
    production: reader.production,
    pushAllowPrivate: reader.privateRanges('PUSH_ALLOW_PRIVATE'),
    people: readJson(reader, 'PEOPLE_FILE'),
    issuers: checkIssuers(readJson(reader, 'OAUTH_ISSUERS_FILE') ?? [], reader.production),
    membersTrustedDocumentsOnly:
      reader.oneOf('MEMBERS_TRUSTED_DOCUMENTS_ONLY', ['true', 'false'] as const, 'false') === 'true',
    trustedProxies: readProxies(reader.optional('TRUSTED_PROXIES')),
    limits: {
      requestsPerMinute: rate('RATE_REQUESTS_PER_MINUTE', DEFAULT_LIMITS.requestsPerMinute),
      anonymousPerMinute: rate('RATE_ANONYMOUS_PER_MINUTE', DEFAULT_LIMITS.anonymousPerMinute),
    },
  };
  reader.refuseDevelopment(config.people, 'PEOPLE_FILE');
  return { config, secrets: { databaseUrl, queue: queueBackend(redis, databaseUrl), signingKey } };
}

function required(value: string | undefined, name: string, expected: string): string {
  if (value === undefined) throw new BongsuError('CONFIG_INVALID', `${name} needs ${expected}.`, name);
  return value;
}

function readProxies(text: string | undefined): string[] {
  const places = (text ?? '')
    .split(',')
    .map((place) => place.trim())
    .filter(Boolean);
  if (!places.every((place) => ipaddr.isValid(place) || ipaddr.isValidCIDR(place)))
    throw new BongsuError(
      'CONFIG_INVALID',
      'TRUSTED_PROXIES needs addresses or networks (10.0.0.0/8) with commas between them.',
      'TRUSTED_PROXIES',
    );
  return places;
}

/** What the JSON file holds that a variable names; undefined where it names none. */
function readJson(reader: ConfigReader, name: string): unknown {
  const path = reader.optional(name);
  if (path === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new BongsuError(
      'CONFIG_INVALID',
      `${name} holds "${path}" but needs the path of a readable JSON file.`,
      name,
    );
  }
}
