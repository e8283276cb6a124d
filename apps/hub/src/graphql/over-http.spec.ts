import { request } from 'node:http';
import { serverAudits } from 'graphql-http';
import { documentIdOf, OPERATIONS } from '@app/protocol';
import { codeIn, startTestHub, type TestHub } from '../../../../test/support/running-hub.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';

/** What fetch refuses to send. */
function getWithBody(url: string, headers: Record<string, string>, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(url, { method: 'GET', headers: { ...headers, ...length } }, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => (text += part.toString())).on('end', () => resolve(text));
    });
    sent.on('error', reject).end(body);
  });
}

describe('GraphQL over HTTP', () => {
  let db: TestDatabase;
  let hub: TestHub;
  const json = { 'content-type': 'application/json' };
  const ask = async (who: string, body: unknown, on: TestHub = hub) => {
    const response = await on.send(who, '/graphql', { method: 'POST', headers: json, body: JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, text, code: codeIn(text), data: (JSON.parse(text) as { data?: unknown }).data };
  };

  beforeAll(async () => {
    db = await createTestDatabase();
    hub = await startTestHub(db, ['upbit']);
  });
  afterAll(async () => {
    await hub?.stop();
    await db?.close();
  });

  it('passes the audit of graphql-http, with no MUST that fails', async () => {
    const fetchFn = ((url: string, init: RequestInit) =>
      hub.send('upbit', new URL(url).pathname + new URL(url).search, init)) as typeof fetch;
    const failed: string[] = [];
    let musts = 0;
    for (const audit of serverAudits({ url: `${hub.url}/graphql`, fetchFn })) {
      const result = await audit.fn();
      if (audit.name.startsWith('MUST')) musts++;
      if (result.status !== 'ok') failed.push(`${audit.id} ${audit.name}`);
    }
    expect(musts).toBeGreaterThan(10);
    expect(failed.filter((line) => /^\S+ MUST/.test(line))).toEqual([]);
    if (process.env['AUDIT']) process.stdout.write(`${failed.join('\n')}\n`);
  });

  describe('trusted documents', () => {
    const documentId = documentIdOf(OPERATIONS.lastSequence);

    it('run by their id', async () => {
      expect(await ask('upbit', { documentId })).toMatchObject({ status: 200, data: { lastSequence: 0 } });
      const variables = { id: 'no uuid' };
      const batch = await ask('upbit', { documentId: documentIdOf(OPERATIONS.batch), variables });
      expect(batch).toMatchObject({ status: 200, data: { batch: null } });
    });

    it('are authorised like any other', async () => {
      expect(await ask('park', { documentId })).toMatchObject({ code: 'FORBIDDEN' });
      const anonymous = await fetch(`${hub.url}/graphql`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ documentId }),
      });
      expect([anonymous.status, codeIn(await anonymous.text())]).toEqual([401, 'UNAUTHENTICATED']);
    });

    it('are never registered: an id stays unknown after its text was sent with it', async () => {
      const query = '{ lastSequence currentStandard { version } }';
      const id = documentIdOf(query);
      const unknown = { status: 400, code: 'PERSISTED_QUERY_NOT_FOUND' };
      expect(await ask('upbit', { documentId: id })).toMatchObject(unknown);
      expect(await ask('upbit', { documentId: id, query })).toMatchObject({ status: 200, data: { lastSequence: 0 } });
      expect(await ask('upbit', { documentId: id })).toMatchObject(unknown);
      const persistedQuery = { version: 1, sha256Hash: id.slice('sha256:'.length) };
      for (const body of [{ query }, {}, { query: '{ __typename }' }])
        expect(await ask('upbit', { ...body, extensions: { persistedQuery } })).toMatchObject({ code: 'BAD_INPUT' });
    });

    it.each<[string, unknown, string]>([
      ['an id in upper case', documentId.toUpperCase(), 'PERSISTED_QUERY_NOT_FOUND'],
      ['a name', 'lastSequence', 'PERSISTED_QUERY_NOT_FOUND'],
      ['a key that every object has', '__proto__', 'PERSISTED_QUERY_NOT_FOUND'],
      ['a number', 7, 'BAD_INPUT'],
      ['a list', [documentId], 'BAD_INPUT'],
    ])('are not found by %s', async (_what, id, code) => {
      expect(await ask('upbit', { documentId: id })).toMatchObject({ status: 400, code });
    });

    it('are not sent with another text', async () => {
      const answer = await ask('upbit', { documentId, query: '{ currentStandard { version } }' });
      expect(answer).toMatchObject({ status: 400, code: 'BAD_INPUT' });
    });

    it('are all that members may send where the hub is set so', async () => {
      const strict = await startTestHub(db, ['upbit'], { membersTrustedDocumentsOnly: true });
      try {
        expect(await ask('upbit', { documentId }, strict)).toMatchObject({ status: 200, data: { lastSequence: 0 } });
        expect(await ask('upbit', { query: OPERATIONS.lastSequence }, strict)).toMatchObject({ status: 200 });
        expect(await ask('upbit', { query: '{ lastSequence }' }, strict)).toMatchObject({ code: 'FORBIDDEN' });
        expect(await ask('kim', { query: '{ members { name } }' }, strict)).toMatchObject({
          data: { members: [{ name: 'upbit' }] },
        });
        // What runs is in the URL; the body only looks as if it were.
        const smuggled = await getWithBody(
          `${strict.url}/graphql?query=${encodeURIComponent('{ lastSequence }')}`,
          { ...(await strict.credentials('upbit', '/graphql', 'GET')), ...json },
          JSON.stringify({ query: OPERATIONS.lastSequence }),
        );
        expect(codeIn(smuggled)).toBe('FORBIDDEN');
      } finally {
        await strict.stop();
      }
    });
  });

  describe('a document that asks too much is BAD_INPUT, and says what is too much', () => {
    it.each<[string, string, object, RegExp]>([
      ['tokens', `{ ${'lastSequence '.repeat(1600)} }`, {}, /token/i],
      ['aliases', `{ ${Array.from({ length: 16 }, (_, i) => `a${i}: lastSequence`).join(' ')} }`, {}, /15 aliases/],
      ['directives', `{ lastSequence ${'@skip(if: false) '.repeat(11)} }`, {}, /10 directives/],
      ['depth', `{ ${'recommendations { edges { '.repeat(5)} id ${'} } '.repeat(5)} }`, {}, /8 levels/],
      [
        'cost, by a variable',
        `query ($n: Int) { ${Array.from({ length: 9 }, (_, i) => `a${i}: recommendations(first: $n) { edges { node { id key rung state } } }`).join(' ')} }`,
        { n: 1000 },
        /50000 values/,
      ],
    ])('%s', async (_what, query, variables, message) => {
      const { status, code, text } = await ask('upbit', { query, variables });
      expect({ status, code }).toEqual({ status: 400, code: 'BAD_INPUT' });
      expect(text).toMatch(message);
    });

    it('a batch of operations', async () => {
      expect(await ask('upbit', [{ query: '{ lastSequence }' }])).toMatchObject({ status: 400, code: 'BAD_INPUT' });
    });
  });

  describe('another site’s page', () => {
    const query = '{ __typename }';
    it.each<[string, string, RequestInit]>([
      [
        'a form',
        '',
        { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `query=${query}` },
      ],
      [
        'text that is JSON',
        '',
        { method: 'POST', headers: { 'content-type': 'text/plain' }, body: JSON.stringify({ query }) },
      ],
      [
        'a form with files',
        '',
        { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x--' },
      ],
      ['a link', `?query=${encodeURIComponent(query)}`, { method: 'GET' }],
    ])('gets nowhere with %s', async (_what, search, init) => {
      const response = await hub.send('upbit', `/graphql${search}`, {
        ...init,
        headers: { ...init.headers, origin: 'https://other.example' },
      });
      const text = await response.text();
      expect({ status: response.status, code: codeIn(text) }).toEqual({ status: 400, code: 'BAD_INPUT' });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    });

    it('may not form a request with a header of its own either', async () => {
      const response = await hub.send('upbit', '/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'apollo-require-preflight': '1' },
        body: `query=${query}`,
      });
      expect(response.status).toBe(400);
    });

    it('is not told that it may ask: no CORS', async () => {
      for (const path of ['/graphql', '/oauth/token', '/ssf/poll']) {
        const response = await fetch(`${hub.url}${path}`, {
          method: 'OPTIONS',
          headers: { origin: 'https://other.example', 'access-control-request-method': 'POST' },
        });
        const cors = [...response.headers.keys()].filter((name) => name.startsWith('access-control'));
        expect({ path, cors, ok: response.ok }).toEqual({ path, cors: [], ok: false });
      }
    });
  });

  it('asked by GET with the header that no page can send, answers queries and changes nothing', async () => {
    const get = (query: string) =>
      hub.send('upbit', `/graphql?query=${encodeURIComponent(query)}`, {
        headers: { 'apollo-require-preflight': '1' },
      });
    expect(await (await get('{ lastSequence }')).json()).toEqual({ data: { lastSequence: 0 } });
    const change = await get('mutation { withdrawBatch(input: { batchId: "x", reason: "y" }) { state } }');
    expect([change.status, change.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('shows its schema in development only', async () => {
    const introspection = '{ __schema { types { name } } }';
    const misspelt = '{ lastSequenc }';
    expect((await ask('upbit', { query: introspection })).text).toMatch(/SubmitSignalsInput/);
    expect((await ask('upbit', { query: misspelt })).text).toMatch(/Did you mean/);
    const closed = await startTestHub(db, ['upbit'], { production: true });
    try {
      for (const query of [introspection, '{ __type(name: "Query") { name } }']) {
        const { status, text, code } = await ask('upbit', { query }, closed);
        expect({ status, code }).toEqual({ status: 400, code: 'BAD_INPUT' });
        expect(text).not.toMatch(/SubmitSignals|Apollo/);
      }
      expect((await ask('upbit', { query: misspelt }, closed)).text).not.toMatch(/Did you mean|lastSequence"/);
      const input = { query: 'query ($r: Rung!) { __typename @skip(if: $r) }', variables: { r: 'EXPIR' } };
      expect((await ask('upbit', input, closed)).text).not.toMatch(/Did you mean/);
    } finally {
      await closed.stop();
    }
  });

  describe('headers', () => {
    it.each(['/graphql', '/ssf/poll', '/oauth/token', '/nowhere', '/health/live'])('of %s', async (path) => {
      const method = path.startsWith('/health') ? 'GET' : 'POST';
      const response = await fetch(`${hub.url}${path}`, { method });
      const get = (name: string) => response.headers.get(name);
      expect(get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(get('x-content-type-options')).toBe('nosniff');
      expect(get('x-frame-options')).toBe('DENY');
      expect(get('cache-control')).toBe('no-store');
      for (const none of ['x-powered-by', 'server', 'strict-transport-security', 'access-control-allow-origin'])
        expect([none, get(none)]).toEqual([none, null]);
    });

    it('of an answer with data say that nobody keeps it; keys may be kept', async () => {
      const data = await hub.send('upbit', '/graphql', {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ query: '{ lastSequence }' }),
      });
      expect([data.status, data.headers.get('cache-control')]).toEqual([200, 'no-store']);
      const keys = await fetch(`${hub.url}/.well-known/jwks.json`);
      expect(keys.headers.get('cache-control')).toMatch(/max-age/);
    });

    it('in production ask for HTTPS for a year', async () => {
      const closed = await startTestHub(db, [], { production: true });
      try {
        const response = await fetch(`${closed.url}/health/live`);
        expect(response.headers.get('strict-transport-security')).toMatch(/^max-age=31536000/);
      } finally {
        await closed.stop();
      }
    });
  });
});
