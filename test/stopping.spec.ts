import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeClockFile } from '@app/infrastructure/clock';
import { lendingRows } from './support/lending.js';
import { LENDING_DAYS, LENDING_NOW, LendingCallers } from './support/lending-hub.js';
import { privateJwk } from './support/parts.js';
import { startProcess, type RunningProcess } from './support/process.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';
import { until } from './support/until.js';

/** Batches that are on their way at once. */
const SENDERS = 4;

describe('stopped with SIGTERM while batches come in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bongsu-stopping-'));
  const callers = new LendingCallers();
  const running = new Set<RunningProcess>();
  const env: Record<string, string> = {};
  let db: TestDatabase;

  const start = async (app: string, more: Record<string, string> = {}) => {
    const started = await startProcess(app, { ...env, ...more });
    running.add(started);
    return started;
  };
  const stop = (process: RunningProcess) => {
    running.delete(process);
    return process.terminate();
  };
  const figure = async ({ metrics }: RunningProcess, sample: string) => {
    const text = await (await fetch(`${metrics}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
    return line === undefined ? undefined : Number(line.slice(sample.length + 1));
  };
  const count = async (sql: string) => Number((await db.asOwner<{ n: string }>(sql))[0]!.n);

  beforeAll(async () => {
    db = await createTestDatabase();
    writeClockFile(join(folder, 'clock'), LENDING_NOW);
    writeFileSync(join(folder, 'people.json'), JSON.stringify(callers.people));
    writeFileSync(join(folder, 'signing.jwk'), privateJwk(), { mode: 0o600 });
    Object.assign(env, {
      DATABASE_URL: db.url,
      HUB_SIGNING_KEY_FILE: join(folder, 'signing.jwk'),
      PEOPLE_FILE: join(folder, 'people.json'),
      CLOCK_FILE: join(folder, 'clock'),
      HUB_PORT: '0',
      SWEEP_MS: '200',
      LOG_LEVEL: 'warn',
    });
  });
  afterAll(async () => {
    await Promise.all([...running].map(stop));
    await db?.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('hub and worker finish what they have begun: nothing that was answered is lost, nothing counts twice', async () => {
    let hub = await start('hub');
    let worker = await start('worker', { HUB_ISSUER: hub.url });
    await callers.join(hub);
    const all = callers.members.flatMap((member) => callers.batchesOf(member).map((batch) => ({ member, batch })));
    const waiting = [...all];
    const answered: { clientId: string; n: number }[] = [];
    const statuses = new Set<number>();
    const send = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { member, batch } = next;
        const answer = await callers.submit(hub, member, batch).catch(() => null);
        // No answer: the hub was gone. It is sent again, as an agent does.
        if (answer === null) continue;
        statuses.add(answer.status);
        if (answer.data?.submitSignals) answered.push({ clientId: member.clientId, n: batch.n });
      }
    };
    const sending = Array.from({ length: SENDERS }, send);
    await until('half of the batches are answered', () => answered.length >= all.length / 2);
    const codes = await Promise.all([stop(worker), stop(hub)]);
    await Promise.all(sending);

    expect(codes).toEqual([0, 0]);
    // Whoever got an answer got a good one: no half-closed hub that answers with errors.
    expect([...statuses]).toEqual([200]);
    const stored = await db.asOwner<{ clientId: string; n: number }>(
      `SELECT 'member:' || m.name AS "clientId", b.sequence::int AS n FROM batches b JOIN members m ON m.id = b.member_id`,
    );
    expect(stored).toEqual(expect.arrayContaining(answered));

    hub = await start('hub');
    worker = await start('worker', { HUB_ISSUER: hub.url });
    for (const { member, batch } of all)
      expect((await callers.submit(hub, member, batch)).data.submitSignals.accepted).toBeGreaterThan(0);
    await until('all is folded and assessed', async () => {
      const left = await count(
        `SELECT (SELECT count(*) FROM batches WHERE state <> 'folded') + (SELECT count(*) FROM touched) + (SELECT count(*) FROM to_assess) AS n`,
      );
      return left === 0;
    });
    const rows = callers.members.flatMap(({ clientId }) => lendingRows(clientId.slice(7), LENDING_DAYS).observations);
    expect(await count('SELECT count(*) AS n FROM observations')).toBe(rows.length);
    expect(await count('SELECT sum(requests) AS n FROM observations')).toBe(
      rows.reduce((sum, { requests }) => sum + requests, 0),
    );
    const rises = await db.asOwner<{ n: string }>(
      'SELECT count(*) AS n FROM recommendations GROUP BY key_id, rung ORDER BY 1 DESC',
    );
    expect(rises.length).toBeGreaterThan(0);
    expect(rises[0]!.n).toBe('1');

    // What the second pair shows of itself.
    const repeated = await figure(hub, 'bongsu_ingest_batches_total{result="repeated"}');
    expect(repeated! + ((await figure(hub, 'bongsu_ingest_batches_total{result="stored"}')) ?? 0)).toBe(all.length);
    expect(repeated).toBe(stored.length);
    expect(await figure(hub, 'bongsu_graphql_requests_total{operation="submitSignals",code="OK"}')).toBe(all.length);
    expect(await figure(worker, 'bongsu_fold_batches_waiting')).toBe(0);
    expect(await figure(worker, 'bongsu_metrics_sources_failed')).toBe(0);
    expect(await figure(worker, 'bongsu_queue_jobs{queue="fold",state="failed"}')).toBe(0);
    const polls = await count(`SELECT count(*) AS n FROM deliveries WHERE state = 'pending' AND member_id = 1`);
    expect(await figure(worker, 'bongsu_deliveries_pending{member="upbit"}')).toBe(polls);
    for (const { metrics, url } of [hub, worker]) {
      const ready = await fetch(`${metrics}/health/ready`);
      expect({ status: ready.status, body: await ready.json() }).toMatchObject({ status: 200, body: { status: 'ok' } });
      if (url) expect((await fetch(`${url}/metrics`)).status).toBe(404);
    }
    expect(await Promise.all([stop(worker), stop(hub)])).toEqual([0, 0]);
  }, 120_000);

  it('a hub answers the polls that it holds open, and is gone', async () => {
    const hub = await start('hub');
    const nobody = callers.members[0]!;
    // Everything that waits is taken, so that the next poll has nothing to hand over.
    for (let sets = ['']; sets.length > 0;) sets = await callers.pollAndAck(hub, nobody, sets);
    const poll = callers.poll(hub, nobody, { returnImmediately: false });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const code = stop(hub);
    expect(await poll).toMatchObject({ status: 200, json: { sets: {}, moreAvailable: false } });
    expect(await code).toBe(0);
  }, 60_000);
});
