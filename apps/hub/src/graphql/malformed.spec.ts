import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ERROR_CODES, OPERATIONS } from '@app/protocol';
import { startTestHub, type TestHub } from '../../../../test/support/running-hub.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 60) };
const SCHEMA = readFileSync('apps/hub/schema.graphql', 'utf8');
const NAMES = [...new Set(SCHEMA.match(/\b[A-Za-z]{3,}\b/g))].filter(
  (word) => !/^(select|insert|update|delete)$/i.test(word),
);

/** What tells of the hub's inner life. No generated input holds any of it. */
const LEAKS =
  /\bat \S+ \(|\bat (async|new|Object|Module|process)\b|node_modules|node:internal|file:\/\/|\/(work|home|usr|tmp|app|dist|libs|apps)\/|\.[cm]?[jt]s:\d|\b(SELECT|INSERT|UPDATE|DELETE) |violates|constraint|relation "|syntax error at or near|QueryFailed|TypeORM|TypeError|ReferenceError|SyntaxError|stack/;

interface Refusal {
  data?: unknown;
  code?: string;
  error?: string;
  errors?: { extensions?: { code?: string } }[];
}

interface Answer {
  status: number;
  text: string;
}

describe.each([
  ['development', false],
  ['production', true],
])('whatever is sent to a hub in %s', (_mode, production) => {
  let db: TestDatabase;
  let hub: TestHub;
  let tables: string[];
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  beforeAll(async () => {
    db = await createTestDatabase();
    const limits = { requestsPerMinute: 1_000_000, anonymousPerMinute: 1_000_000 };
    hub = await startTestHub(db, ['upbit'], { production, limits });
    const rows = await db.asOwner<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`,
    );
    // Some tables have the names of what the API serves.
    tables = rows.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(SCHEMA));
    expect(tables.length).toBeGreaterThan(10);
  });
  afterAll(async () => {
    agent.destroy();
    await hub?.stop();
    await db?.close();
  });

  /** Nothing of ours failed, nothing is told, and every refusal has one of our codes. */
  function judge({ status, text }: Answer): void {
    expect(status).toBeLessThan(500);
    if (text === '') return;
    // What was asked for is no leak: the standard's own text says "constraint".
    const { data: _asked, ...body } = JSON.parse(text) as Refusal;
    const told = JSON.stringify(body);
    expect(told).not.toMatch(LEAKS);
    for (const table of tables) expect(told).not.toContain(table);
    const codes = body.errors?.map((error) => error.extensions?.code) ?? [body.code ?? body.error];
    // RFC 6749 has names of its own for the token endpoint.
    if (status >= 400)
      for (const code of codes)
        expect(Object.keys(ERROR_CODES).includes(String(code)) || /^[a-z_]+$/.test(String(code))).toBe(true);
    for (const error of body.errors ?? []) expect(Object.keys(ERROR_CODES)).toContain(error.extensions?.code);
  }

  const ask = async (who: string, body: unknown): Promise<Answer> => {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = who ? await hub.send(who, '/graphql', init) : await fetch(`${hub.url}/graphql`, init);
    return { status: response.status, text: await response.text() };
  };
  const who = fc.constantFrom('upbit', 'upbit', 'kim', 'park', '');

  it('as a document', async () => {
    const piece = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...NAMES) },
      {
        weight: 5,
        arbitrary: fc.constantFrom(
          '{',
          '}',
          '(',
          ')',
          '[',
          ']',
          ':',
          '!',
          '...',
          '$a',
          '@include(if: true)',
          '=',
          '|',
          '&',
        ),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          'query',
          'mutation',
          'subscription',
          'fragment F on Query',
          'on',
          '...F',
          'first: 1',
          'after: "1"',
          'id: "x"',
        ),
      },
      {
        weight: 1,
        arbitrary: fc.oneof(
          fc.integer().map(String),
          fc.double().map(String),
          fc.string({ unit: 'binary' }).map((s) => JSON.stringify(s)),
          fc.string({ unit: 'grapheme' }),
        ),
      },
    );
    const document = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(' ')),
      fc.array(piece, { maxLength: 12 }).map((pieces) => `{ ${pieces.join(' ')} }`),
      fc.tuple(fc.constantFrom(...Object.values(OPERATIONS)), fc.nat(), piece).map(([text, at, change]) => {
        const cut = at % text.length;
        return text.slice(0, cut) + change + text.slice(cut + 3);
      }),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(who, document, async (caller, query) => judge(await ask(caller, { query }))),
      RUNS,
    );
  });

  const wild = fc.oneof(
    fc.jsonValue({ maxDepth: 3, noUnicodeString: false }),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '\u0000',
      'a\u0000b',
      '\ud800',
      '9'.repeat(400),
      -1,
      1e308,
      2 ** 53,
      -(2 ** 31) - 1,
      '9007199254740993',
      '2026-02-30T00:00:00Z',
      '-271821-04-20T00:00:00Z',
      '',
      'A'.repeat(10_000),
      '../../etc',
      "' OR 1=1 --",
    ),
    fc.uuid(),
  );

  it.each(Object.entries(OPERATIONS))('as variables of %s', async (_name, query) => {
    const named = fc.record({ id: wild, after: wild, first: wild }, { requiredKeys: [] });
    const keys = [
      'batchId',
      'sequence',
      'epoch',
      'purpose',
      'legalBasis',
      'compact',
      'observations',
      'reason',
      'recommendationId',
      'outcome',
      'at',
      'note',
      '__proto__',
      'constructor',
    ];
    const known: Record<string, unknown> = {
      batchId: '019088a0-0000-7000-8000-000000000001',
      sequence: 1,
      epoch: 1,
      purpose: 'KEY_LENDING_DETECTION',
      legalBasis: 'CONTRACT_TERMS',
      compact: 'AAAA',
      recommendationId: '019088a0-0000-7000-8000-000000000001',
      outcome: 'EXECUTED',
      at: '2026-06-11T00:00:00Z',
      reason: 'OTHER',
    };
    const fields = query.includes('ReportOutcome')
      ? ['recommendationId', 'outcome', 'at', 'reason']
      : query.includes('Withdraw')
        ? ['batchId', 'reason']
        : ['batchId', 'sequence', 'epoch', 'purpose', 'legalBasis', 'compact'];
    // Nearly right inputs come further than wild ones.
    const nearly = fc.tuple(fc.constantFrom(...fields), wild).map(([key, value]) => ({
      ...Object.fromEntries(fields.map((field) => [field, known[field]])),
      [key]: value,
    }));
    const input = fc.oneof(nearly, nearly, fc.dictionary(fc.constantFrom(...keys), wild), wild);
    const variables = fc.oneof(fc.record({ input }), named, wild);
    await fc.assert(
      fc.asyncProperty(variables, async (values) => judge(await ask('upbit', { query, variables: values }))),
      { numRuns: Math.ceil(RUNS.numRuns / 3) },
    );
  });

  /** One request as bytes; header names and values as they are. */
  const raw = (method: string, path: string, headers: Record<string, string>, body: Uint8Array): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(hub.url);
      const length = { 'content-length': String(body.length) };
      const sent = request({ hostname, port, method, path, headers: { ...headers, ...length }, agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });

  it('as a request', async () => {
    const bodies = fc
      .oneof(
        fc.jsonValue().map((value) => JSON.stringify(value)),
        fc.constantFrom(
          '',
          '{',
          '[]',
          'null',
          '{"query":',
          '{"query":"{ __typename }","query":"{ lastSequence }"}',
          '{"query":"{ lastSequence }","variables":[]}',
          '{"query":1}',
          '{"__proto__":{"query":"{ lastSequence }"}}',
          '{"documentId":{}}',
          '{"query":"{ a }","extensions":7}',
          'query=%7B__typename%7D',
          'grant_type=client_credentials&grant_type=x',
          '%',
          '\ufeff{"query":"{ __typename }"}',
          '{"maxEvents":1e999}',
          '{"ack":[{}],"setErrs":[]}',
          `${'['.repeat(5000)}`,
          `{"query":"{ lastSequence }","variables":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`,
        ),
        fc.string({ unit: 'binary' }),
      )
      .map((text) => Buffer.from(text));
    const body = fc.oneof(
      bodies,
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      bodies.map((bytes) => gzipSync(bytes)),
    );
    const type = fc.constantFrom(
      'application/json',
      'application/json; charset=utf-8',
      'application/json; charset=utf-7',
      'application/json; charset=utf-16le',
      'APPLICATION/JSON',
      'application/graphql',
      'application/graphql-response+json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'multipart/form-data',
      'application/json;',
      ';',
      'x',
      '',
    );
    const headers = fc.record(
      {
        'content-type': type,
        'content-encoding': fc.constantFrom('gzip', 'deflate', 'br', 'identity', 'zstd', 'x', 'gzip, gzip', ''),
        accept: fc.constantFrom(
          '*/*',
          'application/json',
          'application/graphql-response+json',
          'text/html',
          'multipart/mixed',
          'x',
          '',
        ),
        authorization: fc.oneof(
          fc.constantFrom('Bearer', 'Bearer x.y.z', 'DPoP x.y.z', 'Basic YTpi', 'bearer eyJhbGciOiJub25lIn0.e30.'),
          fc.base64String().map((text) => `Bearer ${text}`),
        ),
        'apollo-require-preflight': fc.constantFrom('1', ''),
        'x-apollo-operation-name': fc.constantFrom('x', ''),
        'x-request-id': fc.string({ unit: 'grapheme-ascii', maxLength: 80 }),
        'x-forwarded-for': fc.constantFrom('::1', 'x', '1.2.3.4, 5.6.7.8'),
        'accept-encoding': fc.constantFrom('gzip', '*;q=0', 'x'),
      },
      { requiredKeys: [] },
    );
    const method = fc.constantFrom(
      'POST',
      'POST',
      'POST',
      'GET',
      'HEAD',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'TRACE',
      'QUERY',
    );
    const path = fc.oneof(
      fc.constantFrom(
        '/graphql',
        '/graphql',
        '/graphql/',
        '/GraphQL',
        '/graphql/x',
        '/graphqlx',
        '/graphql?query=%7B__typename%7D',
        '/graphql?query=a&query=b',
        '/graphql?variables=%7B',
        '/graphql?query=%7B',
        '/ssf/poll',
        '/oauth/token',
        '/health/live',
        '/health/ready',
        '/.well-known/jwks.json',
        '/.well-known/oauth-authorization-server',
        '/',
        '/%',
        '/%00',
        '/..%2f..%2fetc',
        '//',
        '/graphql/%2e%2e/ssf/poll',
      ),
      fc.webPath(),
      fc.webQueryParameters().map((query) => `/graphql?${query}`),
    );
    const chosen = fc.record({ method, path, headers, body });
    await fc.assert(
      fc.asyncProperty(chosen, async (sent) =>
        judge(await raw(sent.method, sent.path || '/', sent.headers, sent.body)),
      ),
      { numRuns: RUNS.numRuns * 3 },
    );
  });
});
