import type { Type } from '@nestjs/common';
import { FakeClock } from '@app/infrastructure/clock';
import type { HubConfig } from '../../apps/hub/src/hub-config.js';
import { startHub, type RunningHub } from '../../apps/hub/src/start-hub.js';
import { dpopHeaders, eventsTokenOf, graphql, tokenOf, type GraphqlAnswer, type HubCaller } from './http-client.js';
import { privateJwk, publicJwk } from './parts.js';
import { FIRST_HOUR } from './signals.js';
import type { TestDatabase } from './test-database.js';

export const NOW = (FIRST_HOUR + 240) * 3_600_000;

/** A hub on a test's database, with the staff operator `kim`, the regulator `park` and the members named. */
export interface TestHub extends RunningHub {
  /** One GraphQL operation in somebody's name: a member's, `kim`'s or `park`'s. */
  call(who: string, query: string, variables?: object): Promise<GraphqlAnswer>;
  /** Any request in somebody's name. */
  send(who: string, path: string, init?: RequestInit): Promise<Response>;
  /** What somebody's request of a path is signed with. */
  credentials(who: string, path: string, method: string): Promise<Record<string, string>>;
}

const keys = new Map<string, string>();
const callerOf = (name: string): HubCaller => {
  const kind = name === 'kim' ? 'staff' : name === 'park' ? 'regulator' : 'member';
  if (!keys.has(name)) keys.set(name, privateJwk());
  return { clientId: `${kind}:${name}`, jwk: keys.get(name)! };
};
const signingKey = privateJwk();

/**
 * A hub on a test's database, at {@link NOW}.
 * @param config what differs from a hub in development
 * @param more modules of resolvers beside its own
 */
export function startHubOn(db: TestDatabase, config: Partial<HubConfig> = {}, more: Type[] = []): Promise<RunningHub> {
  return startHub(
    {
      host: '127.0.0.1',
      port: 0,
      issuer: undefined,
      production: false,
      people: undefined,
      pushAllowPrivate: [],
      ...config,
    },
    { databaseUrl: db.url, queue: { kind: 'postgres', url: db.url }, signingKey },
    new FakeClock(NOW),
    more,
  );
}

/** @param config what differs from a hub in development */
export async function startTestHub(
  db: TestDatabase,
  members: readonly string[],
  config: Partial<HubConfig> = {},
): Promise<TestHub> {
  const people = [
    { name: 'kim', roles: ['staff_operator'], jwk: publicJwk(callerOf('kim').jwk) },
    { name: 'park', roles: ['regulator'], jwk: publicJwk(callerOf('park').jwk) },
  ];
  const hub = await startHubOn(db, { people, ...config });
  for (const name of members)
    await db.asOwner(
      `INSERT INTO members (name, jwk, delivery_method, created_at) VALUES ($1, $2, 'poll', now()) ON CONFLICT DO NOTHING`,
      [name, JSON.stringify(publicJwk(callerOf(name).jwk))],
    );
  const tokens = new Map<string, Promise<string>>();
  const held = (name: string, ask: () => Promise<string>) => {
    if (!tokens.has(name)) tokens.set(name, ask());
    return tokens.get(name)!;
  };
  const tokenFor = (who: string) => held(who, () => tokenOf(hub.url, callerOf(who)));
  const credentials = async (who: string, path: string, method: string): Promise<Record<string, string>> => {
    if (!path.startsWith('/ssf')) return dpopHeaders(hub.url, await tokenFor(who), method);
    return { authorization: `Bearer ${await held(`${who} events`, () => eventsTokenOf(hub.url, callerOf(who)))}` };
  };
  return {
    ...hub,
    credentials,
    call: async (who, query, variables = {}) => graphql(hub.url, await tokenFor(who), query, variables),
    send: async (who, path, init = {}) => {
      const headers = new Headers(init.headers);
      const own = await credentials(who, path, init.method ?? 'GET');
      for (const [name, value] of Object.entries(own)) headers.set(name, value);
      return fetch(`${hub.url}${path}`, { ...init, headers });
    },
  };
}

/** The code of an answer's first error, whatever door it comes from. */
export function codeIn(text: string): string | undefined {
  const body = JSON.parse(text) as { code?: string; errors?: { extensions?: { code?: string } }[] };
  return body.errors?.[0]?.extensions?.code ?? body.code;
}
