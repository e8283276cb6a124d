import { codeIn, startTestHub, type TestHub } from '../../../../test/support/running-hub.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';

const PER_MINUTE = 60;

describe('a flood', () => {
  let db: TestDatabase;
  let hubs: TestHub[];
  const limits = { requestsPerMinute: PER_MINUTE, anonymousPerMinute: 40 };

  beforeAll(async () => {
    db = await createTestDatabase();
    hubs = [];
    for (let i = 0; i < 2; i++) hubs.push(await startTestHub(db, ['upbit', 'bithumb', 'korbit'], { limits }));
  });
  afterAll(async () => {
    for (const hub of hubs ?? []) await hub.stop();
    await db?.close();
  });
  const ask = (hub: TestHub, who: string) =>
    hub.send(who, '/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ lastSequence }' }),
    });

  it('of one member at two hubs is cut at its limit, and another member is answered all the time', async () => {
    const other: number[] = [];
    const flood = Array.from({ length: 2 * PER_MINUTE }, (_, i) => ask(hubs[i % 2]!, 'upbit'));
    for (let i = 0; i < 20; i++) other.push((await ask(hubs[i % 2]!, 'bithumb')).status);
    const answers = await Promise.all(flood);
    expect(other).toEqual(Array(20).fill(200));
    const served = answers.filter(({ status }) => status === 200);
    expect(served.length).toBeLessThanOrEqual(PER_MINUTE);
    expect(served.length).toBeGreaterThanOrEqual(PER_MINUTE - 2);
    const refused = answers.filter(({ status }) => status !== 200);
    for (const answer of refused) {
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
      expect(codeIn(await answer.text())).toBe('RATE_LIMITED');
    }
    expect(refused.length).toBeGreaterThan(0);
    const poll = await hubs[0]!.send('upbit', '/ssf/poll', { method: 'POST', body: '{}' });
    expect([poll.status, codeIn(await poll.text())]).toEqual([429, 'RATE_LIMITED']);
  });

  it('of refused tokens from one address stops before any is looked at, and leaves alone who is signed in', async () => {
    const hub = hubs[0]!;
    expect((await ask(hub, 'korbit')).status).toBe(200);
    const guess = () =>
      fetch(`${hub.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer x.y.z' },
        body: JSON.stringify({ query: '{ lastSequence }' }),
      });
    const answers: Response[] = [];
    for (let i = 0; i < 60; i++) answers.push(await guess());
    expect(answers[0]!.status).toBe(401);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(20);
    const [before] = await db.asOwner<{ n: number }>(`SELECT count(*)::int AS n FROM audit_log`);
    expect((await guess()).headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(await db.asOwner(`SELECT count(*)::int AS n FROM audit_log`)).toEqual([before]);
    const token = await fetch(`${hub.url}/oauth/token`, { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
    expect([token.status, await token.json()]).toEqual([429, expect.objectContaining({ code: 'RATE_LIMITED' })]);
    expect((await fetch(`${hub.url}/.well-known/jwks.json`)).status).toBe(429);
    expect((await fetch(`${hub.url}/health/ready`)).status).toBe(200);
    expect((await ask(hub, 'korbit')).status).toBe(200);
  });

  describe('of requests with a made-up Authorization header is cut at its limit, where nothing would verify it', () => {
    let behind: TestHub;
    let addresses = 100;
    beforeAll(async () => {
      behind = await startTestHub(db, [], { limits, trustedProxies: ['127.0.0.0/8'] });
    });
    afterAll(() => behind?.stop());
    const json = { 'content-type': 'application/json' };
    const form = { method: 'POST', body: new URLSearchParams({ a: 'b' }) };
    it.each<[string, string, RequestInit]>([
      [
        'a document that names no field',
        '/graphql',
        { method: 'POST', headers: json, body: '{"query":"{ __typename }"}' },
      ],
      ['a document that is none', '/graphql', { method: 'POST', headers: json, body: '{"query":"{"}' }],
      ['the keys', '/.well-known/jwks.json', {}],
      ['a path that is none', '/nowhere', {}],
      ['the token endpoint in other letters', '/OAUTH/Token', form],
      ['the token endpoint with a slash', '/oauth/token/', form],
    ])('%s', async (_what, path, init) => {
      const headers = { ...init.headers, 'x-forwarded-for': `203.0.113.${++addresses}`, authorization: 'DPoP x' };
      const statuses: number[] = [];
      for (let i = 0; i < 100; i++) statuses.push((await fetch(`${behind.url}${path}`, { ...init, headers })).status);
      // Counted once they are answered: a few more than the limit may be under way by then.
      expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(40);
    });
  });

  it('counts by the address that a trusted proxy tells, and by no other’s word', async () => {
    const forwarded = async (hub: TestHub, from: string, times: number) => {
      const statuses: number[] = [];
      for (let i = 0; i < times; i++)
        statuses.push(
          (await fetch(`${hub.url}/.well-known/jwks.json`, { headers: { 'x-forwarded-for': from } })).status,
        );
      return statuses.filter((status) => status === 429).length;
    };
    const behind = await startTestHub(db, [], { limits, trustedProxies: ['127.0.0.0/8'] });
    try {
      expect(await forwarded(behind, '203.0.113.1', 50)).toBeGreaterThanOrEqual(10);
      expect(await forwarded(behind, '203.0.113.2', 30)).toBe(0);
      // The address of these tests is over its limit here; a header does not change that.
      expect(await forwarded(hubs[0]!, '203.0.113.3', 3)).toBe(3);
    } finally {
      await behind.stop();
    }
  });
});
