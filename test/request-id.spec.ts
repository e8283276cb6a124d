import { jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@app/infrastructure/clock';
import { EventVerifier } from '@app/member-sdk';
import { Journal } from '../apps/member-agent/src/acting/journal.js';
import { PushListener } from '../apps/member-agent/src/receive/push-listener.js';
import { Receiver } from '../apps/member-agent/src/receive/receiver.js';
import { startHub, type RunningHub } from '../apps/hub/src/start-hub.js';
import { startWorker, type RunningWorker } from '../apps/worker/src/start-worker.js';
import { LENDING_NOW, LendingCallers } from './support/lending-hub.js';
import { privateJwk } from './support/parts.js';
import { batchId } from './support/signals.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';
import { until } from './support/until.js';

type Line = Record<string, unknown> & { service: string; msg: string; requestId?: string };

describe('a batch', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bongsu-request-id-'));
  const clock = new FakeClock(LENDING_NOW);
  const callers = new LendingCallers();
  const lines: Line[] = [];
  const traced: { jti: string; txn: string }[] = [];
  let db: TestDatabase;
  let hub: RunningHub;
  let worker: RunningWorker;
  let journal: Journal;
  let listener: PushListener;

  beforeAll(async () => {
    // Loggers look at both when they are made.
    process.env['LOG_LEVEL'] = 'info';
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      for (const line of String(text).split('\n')) if (line.startsWith('{')) lines.push(JSON.parse(line) as Line);
      return true;
    });
    db = await createTestDatabase();
    const queue = { kind: 'postgres', url: db.url } as const;
    const secrets = { databaseUrl: db.url, queue, signingKey: privateJwk() };
    hub = await startHub(
      {
        host: '127.0.0.1',
        port: 0,
        issuer: undefined,
        production: false,
        people: callers.people,
        pushAllowPrivate: [],
      },
      secrets,
      clock,
    );
    journal = await Journal.open(join(folder, 'journal.jsonl'));
    const jwks = async () => (await (await fetch(`${hub.url}/.well-known/jwks.json`)).json()) as never;
    // One agent's receiver takes what is meant for one member; the others' events it refuses.
    const verifier = new EventVerifier(jwks, hub.url, 'member:bithumb');
    listener = await PushListener.open({
      host: '127.0.0.1',
      port: 0,
      authorization: 'Bearer of the agent',
      receiver: new Receiver(
        verifier,
        journal,
        () => clock.now(),
        (about) => traced.push(about as never),
      ),
      status: async () => ({}),
      received: () => undefined,
      note: () => undefined,
    });
    await callers.join(hub, { endpointUrl: `${listener.url}/events`, authorization: 'Bearer of the agent' });
    worker = await startWorker(
      { issuer: hub.url, sweepMs: 200, production: false, pushAllowPrivate: [] },
      secrets,
      clock,
    );
  }, 60_000);
  afterAll(async () => {
    await worker?.stop();
    await hub?.stop();
    await listener?.close();
    await journal?.close();
    await db?.close();
    rmSync(folder, { recursive: true, force: true });
    jest.restoreAllMocks();
  }, 60_000);

  it('can be followed from the hub to the agent of another member by what the logs say', async () => {
    for (const member of callers.members)
      for (const batch of callers.batchesOf(member))
        await callers.submit(hub, member, batch, { 'x-request-id': `${member.clientId.slice(7)}-${batch.n}` });
    await until('an event reached the agent', () => traced.length > 0);

    const of = (id: unknown) => lines.filter((line) => line.requestId === id);
    // The hub takes the sender's id; the fold has it from the batch's row.
    const requestId = 'upbit-3';
    expect(of(requestId).map(({ service, msg }) => `${service}: ${msg}`)).toEqual(
      expect.arrayContaining(['ingest: a batch was stored', 'fold: a batch was folded']),
    );
    expect(of(requestId).find(({ service }) => service === 'ingest')).toMatchObject({ batchId: batchId(3) });
    // The assessment: a wave of its own, which names the requests that woke it.
    const woken = lines.filter((line) => (line['requestIds'] as string[] | undefined)?.includes(requestId));
    expect(woken).toHaveLength(1);
    // From any wave that issued something: the recommendation, its delivery, the agent's own line.
    const { jti, txn } = traced[0]!;
    const issued = lines.find((line) => (line['recommendations'] as string[] | undefined)?.includes(txn))!;
    expect(issued).toMatchObject({ service: 'assess', requestId: expect.stringMatching(/^wave-/) });
    const wave = of(issued.requestId);
    expect(wave.flatMap((line) => (line['requestIds'] as string[] | undefined) ?? [])).not.toEqual([]);
    await until('the delivery is told', () => lines.some((line) => line['txn'] === txn));
    expect(lines.find((line) => line['txn'] === txn)).toMatchObject({
      service: 'deliver',
      jti,
      member: 'bithumb',
      msg: 'an event was accepted',
    });
    expect(journal.cases.has(txn)).toBe(true);
  }, 60_000);
});
