import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FakeBlinder, FakeHub } from '@app/member-sdk';
import { AgentProcesses } from './support/agent-process.js';
import { until } from './support/until.js';

const DIE_AT = resolve('test/support/die-at.mjs');
/** A hook as a command: does its work once for each idempotency key, into the file named. */
const COMMAND = `
  const { appendFileSync, existsSync, readFileSync } = require('node:fs');
  const [, file] = process.argv;
  const { idempotency_key: key, access_key } = JSON.parse(readFileSync(0, 'utf8'));
  const done = existsSync(file) ? readFileSync(file, 'utf8').split('\\n') : [];
  if (!done.includes(key)) appendFileSync(file, key + '\\n');
  console.log(JSON.stringify({ outcome: 'executed', note: access_key }));
`;

describe('acting', () => {
  let folder: string;
  let hub: FakeHub;
  let blinder: FakeBlinder;
  let server: Server;
  let agent: AgentProcesses;
  /** Idempotency keys of the calls that reached the hook. */
  let calls: string[];
  /** What the hook waits for before it answers. */
  let beforeAnswer: (key: string) => Promise<void>;

  /** A folder of an agent that has sent one key, and that key's token. */
  const ready = mkdtempSync(join(tmpdir(), 'bongsu-acting-'));
  let key: Uint8Array;

  beforeAll(async () => {
    hub = await FakeHub.start();
    blinder = await FakeBlinder.start();
    const usage = join(ready, 'usage.jsonl');
    writeFileSync(
      usage,
      '{"hour":"2026-06-01T00:00:00Z","access_key":"AK-1","ip":"203.0.113.7","network":"hosting","client":"c","requests":1,"orders":0,"rejected":0,"active_slots":1,"burst_slots":0}\n',
    );
    expect(await new AgentProcesses(ready, hub, blinder, {}).start(['push', '--usage', usage]).ended).toBe(0);
    const [batch] = hub.batches.values();
    key = batch!.rows.observations[0]!.key;
  });
  afterAll(async () => {
    await hub.stop();
    await blinder.stop();
    rmSync(ready, { recursive: true, force: true });
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bongsu-acting-'));
    hub.events.clear();
    hub.outcomes.length = 0;
    calls = [];
    beforeAnswer = async () => {};
    server = createServer((request, response) => {
      const key = String(request.headers['idempotency-key']);
      request.resume().on('end', () => {
        calls.push(key);
        void beforeAnswer(key).then(() => response.end('{"outcome":"executed"}'));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(() => {
    agent.killAll();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const effects = () => new Set(calls).size;

  /** An agent for which `count` recommendations about its key wait at the hub. */
  const agentWith = async (hook: object, settings: object = {}, count = 1) => {
    agent = new AgentProcesses(folder, hub, blinder, { act: 'live', hook, ...settings });
    cpSync(join(ready, 'state'), agent.state, { recursive: true });
    for (let i = 1; i <= count; i++) hub.events.set(`jti-r${i}`, await hub.recommend('upbit', key, `r${i}`));
  };
  const pull = async () => {
    const process = agent.start(['pull']);
    expect({ code: await process.ended, output: process.output }).toMatchObject({ code: 0 });
    return process.output;
  };
  const pullUntilKilled = async (at: string) => {
    const process = agent.start(['pull'], { DIE_AT: at }, DIE_AT);
    expect({ ended: await process.ended, output: process.output }).toMatchObject({ ended: 'SIGKILL' });
  };
  const outcomes = () => [...new Set(hub.outcomes.map((o) => `${o.recommendationId} ${o.outcome}`))];

  // How often the hook is called in all; its effect is one in any case.
  it.each([
    ['before received', 1],
    ['after received', 1],
    ['before intent', 1],
    ['after intent', 1],
    ['before result', 2],
    ['after result', 1],
    ['before reported', 1],
    ['after reported', 1],
  ])('killed %s: a hook that honours the key has one effect', async (at, expected) => {
    await agentWith({ url: url(), idempotent: true });
    await pullUntilKilled(at);
    await pull();
    expect(calls).toEqual(Array<string>(expected).fill('r1'));
    expect(outcomes()).toEqual(['r1 EXECUTED']);
  });

  it('killed before the result: a command that honours the key has one effect', async () => {
    const done = join(folder, 'done');
    await agentWith({ command: [process.execPath, '-e', COMMAND, done], idempotent: true });
    await pullUntilKilled('before result');
    await pull();
    expect(readFileSync(done, 'utf8')).toBe('r1\n');
    expect(outcomes()).toEqual(['r1 EXECUTED']);
  });

  it.each([
    ['before intent', 1, false],
    ['after intent', 0, true],
    ['before result', 1, true],
    ['after result', 1, false],
  ])('killed %s: of any other hook a person is asked where the result is unknown', async (at, expected, asked) => {
    await agentWith({ url: url(), idempotent: false });
    await pullUntilKilled(at);
    await pull();
    const said = await pull();
    expect(calls).toHaveLength(expected);
    if (asked) {
      expect(said).toContain('a person is asked');
      expect(outcomes()).toEqual([]);
      expect(await agent.start(['settle', 'r1', 'executed', '--note', 'seen in the log']).ended).toBe(0);
      await pull();
    }
    expect(outcomes()).toEqual(['r1 EXECUTED']);
    expect(calls).toHaveLength(expected);
  });

  it('killed while the hook works, it calls again with the same key', async () => {
    await agentWith({ url: url(), idempotent: true });
    beforeAnswer = () => new Promise(() => {});
    const process = agent.start(['pull']);
    await until('the hook is called', () => calls.length === 1);
    await process.end('SIGKILL');
    beforeAnswer = async () => {};
    await pull();
    expect(calls).toEqual(['r1', 'r1']);
    expect(outcomes()).toEqual(['r1 EXECUTED']);
  });

  it('acts on no more than the cap of a burst, over restarts too', async () => {
    await agentWith({ url: url(), idempotent: true }, { capPerHour: 7 }, 60);
    expect(await pull()).toContain('hourly cap');
    await pull();
    expect(effects()).toBe(7);
    expect(calls).toHaveLength(7);
  });

  it('halts at once when it is stopped in the middle of a wave, and goes on when it is let go', async () => {
    await agentWith({ url: url(), idempotent: true }, { capPerHour: 100, loopMilliseconds: 20 }, 30);
    beforeAnswer = async (key) => {
      if (key === 'r5') await agent.start(['stop']).ended;
    };
    const process = agent.start(['run']);
    await until('outcomes are reported', () => outcomes().length === 5);
    const status = agent.start(['status']);
    await status.ended;
    expect(status.output).toContain('STOPPED');
    expect(effects()).toBe(5);
    await agent.start(['stop', '--resume']).ended;
    await until('all are acted on', () => outcomes().length === 30);
    expect(calls).toHaveLength(30);
    expect(await process.end('SIGTERM')).toBe(0);
  });

  it('calls nobody until it is told to', async () => {
    await agentWith({ url: url(), idempotent: true }, { act: 'dry-run' });
    expect(await pull()).toContain('dry-run: 1');
    expect(calls).toEqual([]);
  });
});
