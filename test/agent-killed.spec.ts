import {
  appendFile,
  copyFile,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { writeClockFile } from '@app/infrastructure/clock';
import { FakeBlinder, FakeHub } from '@app/member-sdk';
import { AgentProcesses } from './support/agent-process.js';
import { until } from './support/until.js';

const LINES = 200_000;
const KILLS = 20;
/** Blocks of lines written while one process lives. */
const BLOCKS = 4;
const START = Date.parse('2026-06-01T00:00:00Z');
/** Log time from one line to the next: 30 hours in all. */
const STEP_MS = 540;
/** The agents' clock: after everything, so that every hour is complete. */
const NOW = START + LINES * STEP_MS + 2 * 3_600_000;

/** Random whole numbers below `n`, the same in every run (mulberry32). */
function seeded(seed: number): (n: number) => number {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/** Line i: mostly a little out of order, some hours late, some later than hours are kept, some of no use. */
function logLine(i: number, random: (n: number) => number): string {
  if (i % 997 === 0) return 'no JSON\n';
  const late = i % 10_007 === 0 ? 14 * 3_600_000 : i % 1_009 === 0 ? 3 * 3_600_000 : random(120_000);
  const key = random(30);
  const line = {
    time_iso8601: new Date(START + i * STEP_MS - late).toISOString(),
    remote_addr: i % 1_501 === 0 ? 'unix:' : `203.0.113.${(key * 7 + random(3)) % 250}`,
    request_method: random(3) === 0 ? 'POST' : 'GET',
    request_uri: '/v1/orders',
    status: random(50) === 0 ? '403' : '200',
    http_user_agent: random(4) === 0 ? 'okhttp/4' : 'python-requests/2.32',
    access_key: `key-${key}`,
  };
  return `${JSON.stringify(line)}\n`;
}

describe('an agent that is killed while it follows a log of 200,000 lines', () => {
  let folder: string;
  let blinder: FakeBlinder;
  const hubs: FakeHub[] = [];
  const agents: AgentProcesses[] = [];

  const agentAt = async (name: string) => {
    const hub = await FakeHub.start();
    hubs.push(hub);
    const home = join(folder, name);
    mkdirSync(home);
    const inputs = [{ gateway: '../access.log', preset: 'nginx' }];
    const agent = new AgentProcesses(home, hub, blinder, { inputs }, { CLOCK_FILE: join(folder, 'clock') });
    agents.push(agent);
    return { hub, agent };
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bongsu-killed-'));
    blinder = await FakeBlinder.start();
    writeClockFile(join(folder, 'clock'), NOW);
  });
  afterAll(async () => {
    for (const agent of agents) agent.killAll();
    for (const hub of hubs) await hub.stop();
    await blinder.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('leaves the hub with exactly the observations of an undisturbed run', async () => {
    const random = seeded(20);
    const log = join(folder, 'access.log');
    const whole = join(folder, 'whole.log');
    const killed = await agentAt('killed');
    let written = 0;
    let rotations = 0;

    const write = async (count: number) => {
      let text = '';
      for (const end = Math.min(LINES, written + count); written < end; written++) text += logLine(written, random);
      // In two halves that do not end with a line, as a buffering writer does.
      const half = Math.floor(text.length / 2);
      await appendFile(log, text.slice(0, half));
      await appendFile(log, text.slice(half));
      await appendFile(whole, text);
    };
    const rotate = async () => {
      // Former files are ordered by when they were last written, which file systems know to some 10 ms.
      await sleep(25);
      const former = `${log}.${++rotations}`;
      const way = random(3);
      if (way > 0) await rename(log, former);
      if (way === 1) {
        // Compressed at once, read or not; the compressed file has the time of the one that it replaces.
        const { atime, mtime } = await stat(former);
        await writeFile(`${former}.gz.tmp`, gzipSync(await readFile(former)));
        await utimes(`${former}.gz.tmp`, atime, mtime);
        await rename(`${former}.gz.tmp`, `${former}.gz`);
        await rm(former);
      }
      if (way > 0) return;
      await copyFile(log, former);
      await truncate(log);
      // The copy was written to just now; what comes next is told from it by a later tick.
      await sleep(25);
    };

    for (let kill = 0; kill < KILLS; kill++) {
      const process = killed.agent.start(['run']);
      // Some never get as far as their work.
      if (kill % 7 !== 6) await until('the agent runs', () => process.ready);
      const struck = sleep(random(1_200)).then(() => process.end('SIGKILL'));
      killed.hub.failures = [['lose the answer', { status: 500, body: {} }, 'hang up'][random(3)] as 'hang up'];
      for (let block = 0; block < BLOCKS; block++) {
        await write(LINES / KILLS / BLOCKS);
        if (random(4) === 0) await rotate();
        await sleep(random(200));
      }
      expect(await struck).toBe('SIGKILL');
    }
    expect(written).toBe(LINES);
    expect(rotations).toBeGreaterThan(10);
    killed.hub.failures = [];

    const last = killed.agent.start(['run']);
    const status = async () =>
      JSON.parse(await readFile(join(killed.agent.state, 'status.json'), 'utf8').catch(() => '{}')) as {
        pid: number;
        caughtUp: boolean;
        inputs: { lines: number; counted: number; refused: Record<string, number> }[];
        sent: { batches: number; accepted: number };
      };
    await until('the last run is ready', () => last.ready);
    await until('everything is sent', async () => {
      const { caughtUp, inputs } = await status();
      return caughtUp && inputs[0]!.lines === LINES;
    }).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await status())} ${last.output}`);
    });
    expect(await last.end('SIGTERM')).toBe(0);

    const calm = await agentAt('calm');
    const push = calm.agent.start(['push', '--gateway', whole, '--preset', 'nginx']);
    expect({ code: await push.ended, output: push.output }).toMatchObject({ code: 0 });

    const { inputs, sent } = await status();
    const { lines, counted, refused } = inputs[0]!;
    expect(push.output).toContain(`${lines} lines read, ${counted} counted`);
    expect(Object.keys(refused).sort()).toEqual(['HOUR_CLOSED', 'IP_MALFORMED', 'NOT_JSON']);
    const folded = killed.hub.folded();
    expect(folded.size).toBeGreaterThan(1_000);
    expect(folded).toEqual(calm.hub.folded());
    expect([...folded.values()].reduce((sum, o) => sum + o.requests, 0)).toBe(counted);
    // What the agent believes to have sent is what the hub has, batch by batch.
    expect(sent.batches).toBe(killed.hub.batches.size);
  }, 180_000);
});
