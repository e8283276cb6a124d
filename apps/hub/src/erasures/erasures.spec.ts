import { FakeClock } from '@app/infrastructure/clock';
import { graphql, tokenOf, type HubCaller } from '../../../../test/support/http-client.js';
import { privateJwk, publicJwk } from '../../../../test/support/parts.js';
import { FIRST_HOUR } from '../../../../test/support/signals.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';
import { token, tokenText } from '../../../../test/support/tokens.js';
import { startHub, type RunningHub } from '../start-hub.js';

const NOW = (FIRST_HOUR + 240) * 3_600_000;
const caller = (clientId: string): HubCaller => ({ clientId, jwk: privateJwk() });
const upbit = caller('member:upbit');
const bithumb = caller('member:bithumb');
const operator = caller('staff:kim');
const auditor = caller('staff:lee');
const regulator = caller('regulator:park');

const ERASURE =
  'id member kind target reason requestedBy requestedAt state doneAt openRecommendations highestRung counts { keys tokens }';
const ERASE_KEY = `mutation ($input: EraseKeyInput!) { erased: eraseKey(input: $input) { ${ERASURE} } }`;
const ERASE_OWNER = `mutation ($input: EraseOwnerInput!) { erased: eraseOwner(input: $input) { ${ERASURE} } }`;
const ONE = `query ($id: ID!) { erasure(id: $id) { ${ERASURE} } }`;
const ALL = `query ($after: String, $first: Int) { erasures(after: $after, first: $first) {
  edges { cursor node { ${ERASURE} } } pageInfo { hasNextPage endCursor } } }`;
const LEAVE = `mutation ($name: String!, $reason: String!) { leaveMember(name: $name, reason: $reason) { name state endpointUrl } }`;

describe('erasures over HTTP', () => {
  let db: TestDatabase;
  let hub: RunningHub;
  const clock = new FakeClock(NOW);
  const tokens = new Map<string, string>();
  const signIn = async (who: HubCaller) => tokens.set(who.clientId, await tokenOf(hub.url, who));
  const call = (who: HubCaller, query: string, variables: object = {}) =>
    graphql(hub.url, tokens.get(who.clientId)!, query, variables);
  const key = { key: tokenText('key a'), reason: 'account closed' };
  const owner = { owner: Buffer.from(token('owner a')).toString('base64'), reason: 'asked by the owner' };

  beforeAll(async () => {
    db = await createTestDatabase();
    hub = await startHub(
      {
        host: '127.0.0.1',
        port: 0,
        issuer: undefined,
        pushAllowPrivate: [],
        production: false,
        people: [
          { name: 'kim', roles: ['staff_operator'], jwk: publicJwk(operator.jwk) },
          { name: 'lee', roles: ['auditor'], jwk: publicJwk(auditor.jwk) },
          { name: 'park', roles: ['regulator'], jwk: publicJwk(regulator.jwk) },
        ],
      },
      { databaseUrl: db.url, queue: { kind: 'postgres', url: db.url }, signingKey: privateJwk() },
      clock,
    );
    for (const who of [upbit, bithumb])
      await db.asOwner('INSERT INTO members (name, jwk, created_at) VALUES ($1, $2, now())', [
        who.clientId.split(':')[1],
        JSON.stringify(publicJwk(who.jwk)),
      ]);
    for (const who of [upbit, bithumb, operator, auditor, regulator]) await signIn(who);
  });
  afterAll(async () => {
    await hub?.stop();
    await db?.close();
  });

  it('are asked for by a member, and answered with a receipt', async () => {
    const { data, errors } = await call(upbit, ERASE_KEY, { input: key });
    expect(errors).toEqual([]);
    expect(data.erased).toMatchObject({
      member: 'upbit',
      kind: 'KEY',
      target: Buffer.from(token('key a')).toString('hex', 0, 8),
      reason: 'account closed',
      requestedBy: 'member:upbit',
      requestedAt: new Date(NOW).toISOString(),
      state: 'REQUESTED',
      counts: { keys: 0 },
    });
    const again = await call(upbit, ERASE_KEY, { input: key });
    expect(again.data.erased.id).toBe(data.erased.id);
    expect((await call(upbit, ONE, { id: data.erased.id })).data.erasure).toEqual(data.erased);
    const other = await call(upbit, ERASE_OWNER, { input: owner });
    expect(other.data.erased).toMatchObject({ kind: 'OWNER' });
  });

  it('are seen by their member and by staff, in pages', async () => {
    const own = (await call(upbit, ALL)).data.erasures;
    expect(own.edges.map((edge: { node: { kind: string } }) => edge.node.kind)).toEqual(['KEY', 'OWNER']);
    const { id } = own.edges[0].node;
    expect((await call(bithumb, ALL)).data.erasures.edges).toEqual([]);
    expect((await call(bithumb, ONE, { id })).data.erasure).toBeNull();
    for (const who of [operator, auditor]) {
      const first = (await call(who, ALL, { first: 1 })).data.erasures;
      expect(first).toEqual({ edges: [own.edges[0]], pageInfo: { hasNextPage: true, endCursor: own.edges[0].cursor } });
      const rest = (await call(who, ALL, { after: first.pageInfo.endCursor })).data.erasures;
      expect(rest).toEqual({ edges: [own.edges[1]], pageInfo: { hasNextPage: false, endCursor: own.edges[1].cursor } });
    }
  });

  it.each<[string, HubCaller, string, object]>([
    ['staff erase a key', operator, ERASE_KEY, { input: key }],
    ['staff erase an owner', operator, ERASE_OWNER, { input: owner }],
    ['a regulator lists erasures', regulator, ALL, {}],
    ['a member sends another away', upbit, LEAVE, { name: 'bithumb', reason: 'x' }],
    ['an auditor sends a member away', auditor, LEAVE, { name: 'bithumb', reason: 'x' }],
  ])('are refused where %s', async (_, who, query, variables) => {
    const { errors } = await call(who, query, variables);
    expect(errors[0]!.extensions.code).toBe('FORBIDDEN');
  });

  it.each<[string, object, string]>([
    ['a token that is too short', { ...key, key: tokenText('key a').slice(4) }, 'TOKEN_MALFORMED'],
    ['what is no base64', { ...key, key: '!' }, 'BAD_INPUT'],
    ['an empty reason', { ...key, reason: ' ' }, 'BAD_INPUT'],
    ['an endless reason', { ...key, reason: 'x'.repeat(501) }, 'BAD_INPUT'],
  ])('are refused with %s', async (_, input, code) => {
    const { errors } = await call(upbit, ERASE_KEY, { input });
    expect(errors[0]!.extensions.code).toBe(code);
  });

  it('refuse a member that has left at every door, with a token that it already holds', async () => {
    expect((await call(operator, LEAVE, { name: 'nobody', reason: 'x' })).errors[0]!.extensions.code).toBe('NOT_FOUND');
    const { data, errors } = await call(operator, LEAVE, { name: 'bithumb', reason: 'closed down' });
    expect(errors).toEqual([]);
    expect(data.leaveMember).toEqual({ name: 'bithumb', state: 'LEFT', endpointUrl: null });
    expect((await call(bithumb, ALL)).errors[0]!.extensions.code).toBe('UNAUTHENTICATED');
    const { edges } = (await call(operator, ALL)).data.erasures;
    expect(edges.at(-1).node).toMatchObject({
      member: 'bithumb',
      kind: 'MEMBER',
      target: null,
      requestedBy: 'staff:kim',
    });
    expect((await call(operator, LEAVE, { name: 'bithumb', reason: 'x' })).errors[0]!.extensions.code).toBe(
      'BAD_INPUT',
    );
  });
});
