import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@app/infrastructure/clock';
import { ensureLogin, migrateDatabase, startEmbeddedPostgres, type EmbeddedServer } from '@app/infrastructure/database';
import { startHub, type RunningHub } from '../apps/hub/src/start-hub.js';
import { startWorker, type RunningWorker } from '../apps/worker/src/start-worker.js';
import { MIGRATIONS } from '../migrations/index.js';
import { askToken, assertionOf, eventsTokenOf, graphql, post, tokenOf, type HubCaller } from './support/http-client.js';
import { privateJwk, publicJwk } from './support/parts.js';
import { batchId, FIRST_HOUR, observation, submitInput } from './support/signals.js';

const NOW = (FIRST_HOUR + 240) * 3_600_000;
const upbit: HubCaller = { clientId: 'member:upbit', jwk: privateJwk() };
const staff: HubCaller = { clientId: 'staff:kim', jwk: privateJwk() };

describe('while PostgreSQL is away', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bongsu-away-'));
  // Run as root, PostgreSQL gets an account of its own, which has to reach its folder.
  chmodSync(folder, 0o755);
  const clock = new FakeClock(NOW);
  let server: EmbeddedServer;
  let hub: RunningHub | undefined;
  let worker: RunningWorker | undefined;
  let bearer: string;
  let events: string;

  const SUBMIT =
    'mutation ($input: SubmitSignalsInput!) { submitSignals(input: $input) { accepted state receivedAt } }';
  const submit = (n: number) => {
    const input = submitInput(n, { observations: [observation('a', '1', n)] });
    return graphql(hub!.url, bearer, SUBMIT, { input });
  };
  const stateOf = async (n: number): Promise<string | undefined> =>
    (await graphql(hub!.url, bearer, 'query ($id: ID!) { batch(id: $id) { state } }', { id: batchId(n) })).data?.batch
      ?.state;
  const until = async (what: string, holds: () => Promise<boolean>, ms = 20_000) => {
    const end = Date.now() + ms;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };

  beforeAll(async () => {
    server = await startEmbeddedPostgres(join(folder, 'postgres'), false);
    await migrateDatabase(server.ownerUrl, MIGRATIONS);
    const databaseUrl = await ensureLogin(server.ownerUrl, randomBytes(16).toString('hex'));
    const queue = { kind: 'postgres', url: databaseUrl } as const;
    const secrets = { databaseUrl, queue, signingKey: privateJwk() };
    const common = { production: false, pushAllowPrivate: [] };
    const people = [{ name: 'kim', roles: ['staff_operator'], jwk: publicJwk(staff.jwk) }];
    hub = await startHub({ ...common, host: '127.0.0.1', port: 0, issuer: undefined, people }, secrets, clock);
    worker = await startWorker({ ...common, issuer: hub.url, sweepMs: 200 }, secrets, clock);
    const add = 'mutation ($input: AddMemberInput!) { addMember(input: $input) { id } }';
    const input = { name: 'upbit', jwk: JSON.stringify(publicJwk(upbit.jwk)), deliveryMethod: 'POLL' };
    await graphql(hub.url, await tokenOf(hub.url, staff), add, { input });
    bearer = await tokenOf(hub.url, upbit);
    events = await eventsTokenOf(hub.url, upbit);
  }, 60_000);
  afterAll(async () => {
    await server?.revive();
    await worker?.stop();
    await hub?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('every door says so, and all goes on by itself once it is back', async () => {
    const first = await submit(1);
    expect(first.data.submitSignals).toMatchObject({ accepted: 1 });
    await until('the first batch is folded', async () => (await stateOf(1)) === 'FOLDED');

    await server.stop();
    const refused = await submit(2);
    expect({ status: refused.status, code: refused.errors[0]?.extensions.code }).toEqual({
      status: 503,
      code: 'UNAVAILABLE',
    });
    expect(refused.text).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|SELECT|stack|terminat/i);
    const polled = await post(`${hub!.url}/ssf/poll`, events, { returnImmediately: true });
    expect(polled).toMatchObject({ status: 503, json: { code: 'UNAVAILABLE' } });
    expect((await askToken(hub!.url, assertionOf(upbit, hub!.url))).status).toBe(503);
    expect((await fetch(`${hub!.url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${hub!.url}/health/live`)).status).toBe(200);
    // Long enough for the worker's sweep and its queues to have met the outage too.
    await new Promise((resolve) => setTimeout(resolve, 1500));

    await server.revive();
    await until('the hub is ready', async () => (await fetch(`${hub!.url}/health/ready`)).status === 200);
    await until('the second batch is taken in', async () => (await submit(2)).status === 200);
    await until('the second batch is folded', async () => (await stateOf(2)) === 'FOLDED');
    expect((await submit(1)).data.submitSignals.receivedAt).toBe(first.data.submitSignals.receivedAt);
    expect((await askToken(hub!.url, assertionOf(upbit, hub!.url))).status).toBe(200);
  }, 60_000);

  it.each(['hub', 'worker'])(
    'the %s does not start, and says what is to do',
    async (app) => {
      const env = {
        PATH: process.env['PATH'],
        DATABASE_URL: 'postgres://bongsu:secret-word@127.0.0.1:9/postgres',
        HUB_SIGNING_KEY: privateJwk(),
        HUB_ISSUER: 'http://127.0.0.1:1',
        HUB_PORT: '0',
      };
      const { code, output } = await run(`dist/apps/${app}/src/main.js`, env);
      expect(code).toBe(1);
      expect(output).toMatch(/did not start \(UNAVAILABLE\).*DATABASE_URL; start it/);
      expect(output).not.toMatch(/secret-word| {4}at /);
    },
    30_000,
  );
});

/** Runs a module of the build to its end. */
function run(module: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [module], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}
