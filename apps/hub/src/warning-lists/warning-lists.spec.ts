import { graphql, tokenOf, type HubCaller } from '../../../../test/support/http-client.js';
import { privateJwk, publicJwk } from '../../../../test/support/parts.js';
import { NOW, startHubOn } from '../../../../test/support/running-hub.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';
import type { RunningHub } from '../start-hub.js';

const caller = (clientId: string): HubCaller => ({ clientId, jwk: privateJwk() });
const upbit = caller('member:upbit');
const operator = caller('staff:kim');
const author = caller('staff:lee');
const regulator = caller('regulator:park');

const PUT = `mutation ($input: PutWarningListInput!) { putWarningList(input: $input) { name version entryCount entries } }`;
const END = `mutation ($input: EndWarningListInput!) { endWarningList(input: $input) { name version entries endedAt } }`;
const LISTS = `query ($after: String, $first: Int) { warningLists(after: $after, first: $first) {
  edges { cursor node { name version source description entryCount entries expiresAt updatedAt endedAt } }
  pageInfo { hasNextPage endCursor } } }`;

describe('warning lists over GraphQL', () => {
  let db: TestDatabase;
  let hub: RunningHub;
  const call = async (who: HubCaller, query: string, variables: object = {}) =>
    graphql(hub.url, await tokenOf(hub.url, who), query, variables);
  const input = (name: string, change: object = {}) => ({
    name,
    source: 'https://lists.example',
    entries: ['185.220.101.0/24'],
    expiresAt: '2026-07-01T00:00:00Z',
    ...change,
  });

  beforeAll(async () => {
    db = await createTestDatabase();
    const people = [
      { name: 'kim', roles: ['staff_operator'], jwk: publicJwk(operator.jwk) },
      { name: 'lee', roles: ['staff_author', 'auditor'], jwk: publicJwk(author.jwk) },
      { name: 'park', roles: ['regulator'], jwk: publicJwk(regulator.jwk) },
    ];
    hub = await startHubOn(db, { people });
    const member = { name: 'upbit', jwk: JSON.stringify(publicJwk(upbit.jwk)), deliveryMethod: 'POLL' };
    const added = await call(operator, 'mutation ($input: AddMemberInput!) { addMember(input: $input) { name } }', {
      input: member,
    });
    expect(added.errors).toEqual([]);
  });
  afterAll(async () => {
    await hub?.stop();
    await db?.close();
  });

  it('go from an operator to a member, page by page, on from a cursor', async () => {
    for (const name of ['one', 'two', 'three']) {
      const { data, errors } = await call(operator, PUT, { input: input(name) });
      expect(errors).toEqual([]);
      expect(data.putWarningList).toEqual({ name, version: 1, entryCount: 1, entries: ['185.220.101.0/24'] });
    }
    const first = (await call(upbit, LISTS, { first: 2 })).data.warningLists;
    expect(first.edges.map((e: { node: { name: string } }) => e.node.name)).toEqual(['one', 'two']);
    expect(first.pageInfo).toEqual({ hasNextPage: true, endCursor: first.edges[1].cursor });
    const ended = await call(operator, END, { input: { name: 'one', reason: 'over' } });
    expect(ended.data.endWarningList).toEqual({
      name: 'one',
      version: 2,
      entries: [],
      endedAt: new Date(NOW).toISOString(),
    });
    const rest = (await call(upbit, LISTS, { after: first.pageInfo.endCursor })).data.warningLists;
    expect(rest.edges.map((e: { node: object }) => e.node)).toMatchObject([
      {
        name: 'three',
        source: 'https://lists.example',
        description: '',
        entryCount: 1,
        entries: ['185.220.101.0/24'],
        expiresAt: '2026-07-01T00:00:00.000Z',
        endedAt: null,
      },
      { name: 'one', entries: [], endedAt: new Date(NOW).toISOString() },
    ]);
    expect(rest.pageInfo.hasNextPage).toBe(false);
  });

  it.each<[string, HubCaller, string, object]>([
    ['a member who writes', upbit, PUT, { input: input('mine') }],
    ['a member who ends', upbit, END, { input: { name: 'two', reason: '' } }],
    ['an author who writes', author, PUT, { input: input('mine') }],
    ['a regulator who reads', regulator, LISTS, {}],
  ])('refuse %s', async (_what, who, query, variables) => {
    const { errors } = await call(who, query, variables);
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });

  it.each<[string, string, object, string, string | undefined]>([
    ['a name no batch can carry', PUT, { input: input('x'.repeat(65)) }, 'LIST_NAME_INVALID', 'name'],
    [
      'a network that is none',
      PUT,
      { input: input('x', { entries: ['1.1.1.1', '1.2.3.4/8'] }) },
      'BAD_INPUT',
      'entries[1]',
    ],
    ['a private network', PUT, { input: input('x', { entries: ['192.168.1.1'] }) }, 'BAD_INPUT', 'entries[0]'],
    [
      'a list that is over',
      PUT,
      { input: input('x', { expiresAt: '2026-05-01T00:00:00Z' }) },
      'BAD_INPUT',
      'expiresAt',
    ],
    ['an end of nothing', END, { input: { name: 'nothing', reason: '' } }, 'NOT_FOUND', 'name'],
    ['a cursor that nobody gave', LISTS, { after: '900' }, 'BAD_INPUT', 'after'],
    ['a cursor that is none', LISTS, { after: 'x' }, 'BAD_INPUT', 'after'],
    ['a page too large', LISTS, { first: 9 }, 'BAD_INPUT', 'first'],
  ])('name what is wrong with %s', async (_what, query, variables, code, where) => {
    const { errors } = await call(operator, query, variables);
    expect(errors).toMatchObject([{ extensions: { code, where } }]);
    expect(JSON.stringify(errors)).not.toContain('192.168');
  });

  it('take 100,000 entries, and a private network where that is meant', async () => {
    const entries = Array.from({ length: 100_000 }, (_, i) => `45.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`);
    const put = await call(operator, PUT.replace(' entries', ''), { input: input('large', { entries }) });
    expect(put.errors).toEqual([]);
    expect(put.data.putWarningList.entryCount).toBe(100_000);
    const { data } = await call(operator, PUT, {
      input: input('office', { entries: ['10.1.0.0/16'], allowPrivate: true }),
    });
    expect(data.putWarningList.entries).toEqual(['10.1.0.0/16']);
  });
});
