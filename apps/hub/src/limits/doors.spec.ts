import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { TypeOrmDatabase } from '@app/infrastructure/database';
import { codeIn, startTestHub, type TestHub } from '../../../../test/support/running-hub.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';
import { BODY_LIMITS, DEFAULT_LIMITS, STATEMENT_MS } from './limits.js';

const MOST_CONNECTIONS = 30;

describe('the hub’s doors', () => {
  let db: TestDatabase;
  let hub: TestHub;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    db = await createTestDatabase();
    const limits = {
      headersMs: 400,
      requestMs: 800,
      keepAliveMs: 300,
      lateCheckMs: 50,
      connectionsPerAddress: MOST_CONNECTIONS,
    };
    hub = await startTestHub(db, ['upbit', 'bithumb'], { limits });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  afterAll(async () => {
    await hub?.stop();
    await db?.close();
  });

  /** A connection, and all that comes back until the hub closes it. */
  function open(first = ''): { socket: Socket; closed: Promise<string> } {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
    sockets.push(socket);
    let text = '';
    socket.on('data', (part) => (text += part.toString()));
    socket.on('error', () => undefined);
    if (first) socket.write(first);
    return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve(text))) };
  }
  const isAnswered = async () => (await fetch(`${hub.url}/health/live`, { headers: { connection: 'close' } })).status;

  it('close on those who send their headers drop by drop, and serve others meanwhile', async () => {
    const slow = Array.from({ length: 20 }, () => open('POST /graphql HTTP/1.1\r\nHost: x\r\n'));
    const drops = setInterval(() => slow.forEach(({ socket }) => socket.write('X-A: b\r\n')), 40);
    expect(await isAnswered()).toBe(200);
    const answers = await Promise.all(slow.map(({ closed }) => closed)).finally(() => clearInterval(drops));
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(await isAnswered()).toBe(200);
  });

  it('close on those who send their body drop by drop', async () => {
    const { socket, closed } = open(
      'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{',
    );
    const drops = setInterval(() => socket.write(' '), 40);
    const answer = await closed.finally(() => clearInterval(drops));
    expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });

  it('close connections that nobody uses', async () => {
    const { closed } = open('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await closed).toMatch(/^HTTP\/1\.1 200 .*\{"status":"ok"\}$/s);
  });

  it('hold so many connections of one address', async () => {
    const all = Array.from({ length: MOST_CONNECTIONS + 10 }, () => open());
    let closed = 0;
    for (const one of all) void one.closed.then(() => closed++);
    while (closed < 10) await sleep(10);
    expect(closed).toBeGreaterThanOrEqual(10);
    for (const { socket } of all) socket.destroy();
    await Promise.all(all.map((one) => one.closed));
    await sleep(50);
    expect(await isAnswered()).toBe(200);
  });

  it('refuse headers without end', async () => {
    const { closed } = open(`GET /health/live HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(await closed).toMatch(/^HTTP\/1\.1 431 /);
  });

  const json = { 'content-type': 'application/json' };
  it.each<[string, string, Record<string, string>, () => Uint8Array]>([
    ['too large for the API', '/graphql', json, () => Buffer.alloc(BODY_LIMITS.graphql + 1, ' ')],
    ['too large for any other door', '/ssf/poll', json, () => Buffer.alloc(BODY_LIMITS.other + 1, ' ')],
    [
      'small, and too large when unpacked',
      '/ssf/poll',
      { ...json, 'content-encoding': 'gzip' },
      () => gzipSync(Buffer.alloc(50_000_000, ' ')),
    ],
  ])('refuse a body that is %s', async (_what, path, headers, body) => {
    const response = await hub.send('upbit', path, { method: 'POST', headers, body: body() });
    expect([response.status, codeIn(await response.text())]).toEqual([413, 'BAD_INPUT']);
  });

  describe('while something in PostgreSQL hangs', () => {
    const QUERY = '{ recommendations { edges { cursor } } }';
    /** Holds a lock that every reader of recommendations waits for. */
    const hanging = async <T>(work: () => Promise<T>): Promise<T> => {
      const owner = new pg.Client({ connectionString: db.ownerUrl });
      await owner.connect();
      try {
        await owner.query('BEGIN');
        await owner.query('LOCK TABLE recommendations IN ACCESS EXCLUSIVE MODE');
        return await work();
      } finally {
        await owner.end();
      }
    };

    it('answer 503 when the time of a request is over, and no field of it begins any more', async () => {
      const impatient = await startTestHub(db, ['upbit'], { limits: { graphqlMs: 300 } });
      try {
        const { answer, waiting } = await hanging(async () => ({
          answer: await impatient.call('upbit', QUERY),
          waiting: await db.asOwner(
            `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'recommendations'::regclass
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
          ),
        }));
        // The answer came while PostgreSQL was still at it.
        expect(waiting).toHaveLength(1);
        expect({ status: answer.status, code: answer.errors[0]?.extensions.code }).toEqual({
          status: 503,
          code: 'UNAVAILABLE',
        });
        expect((await impatient.call('upbit', QUERY)).status).toBe(200);
      } finally {
        await impatient.stop();
      }
    });

    it('serve a second member while all that one member may do at once hangs', async () => {
      const patient = await startTestHub(db, ['upbit', 'bithumb']);
      try {
        for (const member of ['upbit', 'bithumb']) expect((await patient.call(member, QUERY)).status).toBe(200);
        const { hung, others } = await hanging(async () => {
          const hung = Array.from({ length: 40 }, () => patient.call('upbit', QUERY));
          await sleep(200);
          const others: number[] = [];
          for (let i = 0; i < 10; i++) others.push((await patient.call('bithumb', '{ lastSequence }')).status);
          return { hung, others };
        });
        expect(others).toEqual(Array(10).fill(200));
        expect((await Promise.all(hung)).map(({ status }) => status)).toEqual(Array(40).fill(200));
      } finally {
        await patient.stop();
      }
    });

    it('are not left with the statement: PostgreSQL ends it sooner than the request', async () => {
      expect(STATEMENT_MS).toBeLessThan(DEFAULT_LIMITS.graphqlMs);
      const brief = new TypeOrmDatabase({
        url: db.url,
        role: 'bongsu_hub',
        poolSize: 1,
        entities: [],
        statementTimeoutMs: 50,
      });
      try {
        const work = brief.transaction({ kind: 'gate', name: 'test' }, (tx) => tx.query('SELECT pg_sleep(10)'));
        await expect(work).rejects.toMatchObject({ code: '57014' });
      } finally {
        await brief.close();
      }
    });
  });
});
