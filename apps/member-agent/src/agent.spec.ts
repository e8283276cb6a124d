import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import type { Agent } from './agent.js';
import { readGatewayMapping } from './input/gateway-mapping.js';
import { Section } from './config/reader.js';
import { Bench } from './testing/bench.js';

function usageLine(i: number, extra: Record<string, unknown> = {}): string {
  const hour = new Date(Date.parse('2026-06-01T00:00:00Z') + Math.floor(i / 10) * 3_600_000).toISOString();
  const line = {
    hour, access_key: `key-${i % 5}`, ip: `203.0.113.${i % 10}`, network: 'hosting', client: 'python-requests/2.31',
    requests: 10 + i, orders: 2, rejected: 0, active_slots: 7, burst_slots: 1, ...extra,
  }; // prettier-ignore
  return `${JSON.stringify(line)}\n`;
}

function keyLine(i: number, extra: Record<string, unknown> = {}): string {
  const line = {
    access_key: `key-${i}`, owner: `CI-${i}`, account_type: 'individual', permissions: ['read', 'trade'],
    allowed_ips: [{ ip: '203.0.113.1', added_at: '2026-05-01T00:00:00Z', removed_at: null }],
    created_at: '2026-05-01T00:00:00Z', expires_at: null, ...extra,
  }; // prettier-ignore
  return `${JSON.stringify(line)}\n`;
}

const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => usageLine(from + i)).join('');

describe('the agent', () => {
  let bench: Bench;
  let usage: string;
  let keys: string;
  beforeEach(async () => {
    bench = await Bench.start();
    usage = bench.path('usage.jsonl');
    keys = bench.path('keys.jsonl');
    bench.config.inputs = [
      { kind: 'keys', path: keys },
      { kind: 'usage', path: usage },
    ];
  });
  afterEach(() => bench.stop());

  const factsSent = () => [...bench.hub.batches.values()].flatMap((b) => b.rows.keyFacts);

  it('sends what the member aggregated, key facts before observations, and goes on where it was', async () => {
    await writeFile(keys, keyLine(1));
    await writeFile(usage, lines(0, 100));
    let agent = await bench.open();
    await bench.pushAll(agent, false);
    expect(await agent.caughtUp()).toBe(true);
    expect(bench.hub.folded().size).toBe(100);
    expect(factsSent()).toHaveLength(1);
    await agent.close();
    await appendFile(usage, lines(100, 101));
    agent = await bench.open();
    expect(await agent.caughtUp()).toBe(false);
    await bench.pushAll(agent, false);
    expect(bench.hub.folded().size).toBe(101);
    expect(factsSent()).toHaveLength(1);
    await agent.close();
  });

  it('sends a key again when its line changes, and only that key', async () => {
    await writeFile(keys, keyLine(1) + keyLine(2));
    const agent = await bench.open();
    await bench.pushAll(agent, false);
    const removed = [{ ip: '203.0.113.1', added_at: '2026-05-01T00:00:00Z', removed_at: '2026-05-09T00:00:00Z' }];
    await writeFile(keys, keyLine(1) + keyLine(2, { allowed_ips: removed }));
    expect(await agent.caughtUp()).toBe(false);
    await bench.pushAll(agent, false);
    expect(factsSent()).toHaveLength(3);
    expect([...bench.hub.batches.values()].at(-1)!.rows.allowEntries[0]!.removedAt).toBe(
      Date.parse('2026-05-09') / 1000,
    );
    await agent.close();
  });

  it('counts or refuses every line, with its number and reason, and one bad line stops nothing', async () => {
    await writeFile(
      keys,
      keyLine(1) +
        keyLine(2, { account_type: 'bank' }) +
        keyLine(3, { allowed_ips: [{ ip: 'x', added_at: '2026-05-01T00:00:00Z' }] }),
    );
    await writeFile(
      usage,
      [
        usageLine(0), 'not json\n', '\n', '[]\n', usageLine(1, { ip: '999.1.1.1' }), usageLine(2, { hour: '2026-06-01T00:30:00Z' }),
        usageLine(3, { requests: -1 }), usageLine(4, { burst_slots: 8 }), usageLine(5, { network: 'moon' }), usageLine(6),
      ].join(''), // prettier-ignore
    );
    const agent = await bench.open();
    await bench.pushAll(agent);
    const state = agent.store.state.sources[`usage ${usage}`]!;
    expect(state).toMatchObject({
      lines: 10,
      counted: 2,
      refused: {
        NOT_JSON: 2, EMPTY_LINE: 1, IP_MALFORMED: 1, HOUR_MALFORMED: 1, COUNT_OUT_OF_RANGE: 1, SLOTS_OUT_OF_RANGE: 1, NETWORK_UNKNOWN: 1,
      }, // prettier-ignore
    });
    expect(agent.store.state.sources[`keys ${keys}`]!.refused).toEqual({
      ACCOUNT_TYPE_UNKNOWN: 1,
      ALLOWED_IPS_MALFORMED: 1,
    });
    const details = (await readFile(bench.path('state/refused.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as { line: number });
    expect(details.filter((d) => JSON.stringify(d).includes('usage')).map((d) => d.line)).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(bench.hub.folded().size).toBe(2);
    await agent.close();
  });

  it('lets a later line about the same hour take the earlier one’s place', async () => {
    await writeFile(usage, usageLine(0, { requests: 1 }) + usageLine(0, { requests: 2 }));
    const agent = await bench.open();
    await bench.pushAll(agent);
    await appendFile(usage, usageLine(0, { requests: 3 }));
    expect([...bench.hub.folded().values()]).toMatchObject([{ requests: 2 }]);
    await bench.pushAll(agent);
    expect([...bench.hub.folded().values()]).toMatchObject([{ requests: 3 }]);
    await agent.close();
  });

  it('keeps everything while the hub is away, says so, and sends it in order when it is back', async () => {
    bench.hub.away = true;
    await writeFile(usage, lines(0, 12_000));
    let agent = await bench.open();
    await bench.pushAll(agent);
    expect(agent.spool.batches).toBe(3);
    expect(agent.sender.trouble).toMatch(/cannot be reached.*3 batches stay in the spool/);
    await agent.close();
    agent = await bench.open();
    expect(agent.spool.batches).toBe(3);
    bench.hub.away = false;
    await bench.pushAll(agent);
    expect(bench.hub.folded().size).toBe(12_000);
    expect([...bench.hub.batches.values()].map((b) => b.sequence)).toEqual([1, 2, 3]);
    await agent.close();
  });

  it('finds lines that it had read but not sent when it was killed, where the log was rotated since', async () => {
    await writeFile(usage, lines(0, 10));
    const killed = await bench.open();
    killed.collector.commit = () => Promise.reject(new Killed());
    await expect(killed.collector.round()).rejects.toThrow(Killed);
    await killed.close();
    // The same again, ended after the place was kept and before anything read was.
    const { commit } = Object.getPrototypeOf(killed.collector) as Agent['collector'];
    const again = await bench.open();
    let commits = 0;
    again.collector.commit = () => (commits++ === 0 ? commit.call(again.collector) : Promise.reject(new Killed()));
    await expect(again.collector.round()).rejects.toThrow(Killed);
    await again.close();
    await rename(usage, `${usage}.1`);
    await writeFile(usage, lines(10, 12));
    const agent = await bench.open();
    await bench.pushAll(agent, false);
    expect(bench.hub.folded().size).toBe(12);
    await agent.close();
  });

  it('stops reading, and says so, when the spool is as full as it may be', async () => {
    bench.config.spoolBytes = 1000;
    bench.hub.away = true;
    await writeFile(usage, lines(0, 100));
    const agent = await bench.open();
    await agent.collector.round();
    await appendFile(usage, lines(100, 110));
    await agent.collector.round();
    expect(agent.collector.readingTrouble).toMatch(/reading stops/);
    bench.hub.away = false;
    await agent.sender.drain();
    await bench.pushAll(agent);
    expect(bench.hub.folded().size).toBe(110);
    await agent.close();
  });

  it('makes nothing new a token while the blinder is away; what is known goes on and the rest waits, over a restart too', async () => {
    await writeFile(usage, lines(0, 20));
    let agent = await bench.open();
    await bench.pushAll(agent);
    bench.blinder.away = true;
    await appendFile(usage, usageLine(0, { client: 'new' }) + usageLine(300));
    await bench.pushAll(agent);
    expect(agent.collector.blinderTrouble).toMatch(/blinder.*cannot be reached.*wait/);
    expect(agent.collector.waitingRows).toBe(1);
    expect(bench.hub.folded().size).toBe(21);
    expect(await agent.caughtUp()).toBe(false);
    await agent.close();
    agent = await bench.open();
    expect(agent.collector.waitingRows).toBe(1);
    bench.blinder.away = false;
    await bench.pushAll(agent);
    expect(bench.hub.folded().size).toBe(22);
    expect(await agent.caughtUp()).toBe(true);
    await agent.close();
  });

  it('sends nothing made with an unpinned key', async () => {
    bench.blinder.lies = true;
    await writeFile(usage, lines(0, 5));
    const agent = await bench.open();
    await bench.pushAll(agent);
    expect(agent.collector.blinderTrouble).toMatch(/did not prove/);
    expect(bench.hub.batches.size).toBe(0);
    await agent.close();
  });

  it.each([
    ['429 with a time to wait', { status: 429, headers: { 'retry-after': '7' }, body: {} }, /RATE_LIMITED/, 6_000],
    ['500', { status: 500, body: {} }, /INTERNAL/, 1],
    ['a proxy’s page', { status: 502, body: '<html>' }, /UNAVAILABLE/, 1],
    ['a broken connection', 'hang up' as const, /cannot be reached/, 1],
  ])('keeps a batch that the hub answers with %s, and says so', async (_, failure, text, leastWait) => {
    await writeFile(usage, lines(0, 5));
    const agent = await bench.open();
    bench.hub.failures = [failure];
    await bench.pushAll(agent);
    expect(agent.sender.trouble).toMatch(text);
    expect(agent.sender.trouble).toMatch(/1 batch stays in the spool/);
    expect(agent.sender.wait).toBeGreaterThanOrEqual(leastWait);
    const [number] = agent.spool.numbers();
    const { batchId } = (await agent.spool.read(number!)).header;
    await agent.close();
    const again = await bench.open();
    await bench.pushAll(again);
    expect([...bench.hub.batches.keys()]).toEqual([batchId]);
    await again.close();
  });

  it('reads nothing while its clock lags so far that good lines would be refused', async () => {
    bench.clock.now = Date.now;
    bench.hub.oauth.now = () => Date.now() + 3 * 86_400_000;
    await writeFile(usage, lines(0, 5));
    const agent = await bench.open();
    await agent.followLists();
    await bench.pushAll(agent);
    expect(agent.collector.readingTrouble).toMatch(/Nothing is read: .*259\d\d\d s behind.*set it \(NTP\)/);
    expect(agent.store.state.sources[`usage ${usage}`]?.lines ?? 0).toBe(0);
    bench.hub.oauth.now = Date.now;
    await agent.followLists();
    await bench.pushAll(agent);
    expect(bench.hub.folded().size).toBe(5);
    await agent.close();
  });

  it('numbers its batches above what the hub has, with a new state folder too', async () => {
    await writeFile(usage, lines(0, 10));
    let agent = await bench.open();
    await bench.pushAll(agent);
    await agent.close();
    bench.config.stateDir = bench.path('another');
    agent = await bench.open();
    await bench.pushAll(agent);
    expect([...bench.hub.batches.values()].map((b) => b.sequence)).toEqual([1, 2]);
    await agent.close();
  });

  it('sets a batch aside that the hub will never take, and sends those after it', async () => {
    await writeFile(usage, lines(0, 5));
    const agent = await bench.open();
    bench.hub.failures = [
      { status: 200, body: { data: null, errors: [{ message: 'x', extensions: { code: 'BATCH_MALFORMED' } }] } },
    ];
    await bench.pushAll(agent);
    await appendFile(usage, lines(5, 10));
    await bench.pushAll(agent);
    expect(agent.store.state.sent).toMatchObject({ setAside: 1, batches: 1 });
    expect(await readFile(bench.path('state/set-aside/000000000001.batch.reason'), 'utf8')).toMatch(/BATCH_MALFORMED/);
    await agent.close();
  });

  it('lets one process at a time work on a state folder', async () => {
    const agent = await bench.open();
    const lock = bench.path('state/lock');
    const holder = JSON.parse(await readFile(lock, 'utf8')) as { pid: number; began: string };
    await writeFile(lock, JSON.stringify({ ...holder, pid: process.ppid, began: null }));
    await expect(bench.open()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await writeFile(lock, JSON.stringify({ pid: 2 ** 22 + 1, began: null }));
    const second = await bench.open();
    await second.close();
    await agent.close();
  });
});

/** Where a simulated kill strikes. */
const FAULTS = [
  'before the commit',
  'after the commit',
  'the answer is lost',
  'before the answer is kept',
  'before removal',
] as const;
type Fault = (typeof FAULTS)[number];

class Killed extends Error {}

/** Makes an agent end at a point, as a kill would: what comes after does not happen. */
function arm(agent: Agent, fault: Fault, bench: Bench): void {
  const { store, spool } = agent;
  const commit = store.commit.bind(store);
  const killed = () => Promise.reject(new Killed());
  const collects = { collector: true };
  switch (fault) {
    case 'before the commit':
      store.commit = killed;
      break;
    case 'after the commit':
      store.commit = async (change) => {
        await commit(change);
        throw new Killed();
      };
      break;
    case 'the answer is lost':
      bench.hub.failures = ['lose the answer'];
      break;
    case 'before the answer is kept':
      store.commit = (change) => (collects.collector ? ((collects.collector = false), commit(change)) : killed());
      break;
    case 'before removal':
      spool.remove = killed;
  }
}

describe('an agent that is killed', () => {
  const gatewayLine = (i: number) => {
    const time = new Date(Date.parse('2026-06-01T00:00:00Z') + i * 97_000).toISOString();
    const line = {
      time,
      remote_addr: `203.0.113.${i % 3}`,
      method: 'POST',
      path: '/v1/orders',
      status: '200',
      access_key: `key-${i % 4}`,
    };
    return `${JSON.stringify(line)}\n`;
  };
  const mapping = readGatewayMapping(Section.of({ preset: 'nginx' }, ''));

  it.each(['usage', 'gateway'] as const)('leaves the hub with what an undisturbed one would: %s', async (kind) => {
    const line = kind === 'usage' ? usageLine : gatewayLine;
    const step = fc.record({ lines: fc.integer({ min: 0, max: 60 }), fault: fc.option(fc.constantFrom(...FAULTS)) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const [disturbed, calm] = [await Bench.start(), await Bench.start()];
        const path = (b: Bench) => b.path('log');
        for (const b of [disturbed, calm])
          b.config.inputs = kind === 'usage' ? [{ kind, path: path(b) }] : [{ kind, path: path(b), mapping }];
        try {
          let written = 0;
          for (const { lines: count, fault } of steps) {
            const text = Array.from({ length: count }, (_, i) => line(written + i)).join('');
            written += count;
            for (const b of [disturbed, calm]) await appendFile(path(b), text);
            const agent = await disturbed.open();
            if (fault !== null) arm(agent, fault, disturbed);
            await disturbed.pushAll(agent, false).catch((error: unknown) => {
              if (!(error instanceof Killed)) throw error;
            });
            await agent.close();
            disturbed.hub.failures = [];
          }
          for (const b of [disturbed, calm]) {
            const agent = await b.open();
            await b.pushAll(agent);
            expect(await agent.caughtUp()).toBe(true);
            const { counted, lines: read } = agent.store.state.sources[agent.sources[0]!.id]!;
            expect({ counted, read }).toEqual({ counted: written, read: written });
            await agent.close();
          }
          expect(disturbed.hub.folded()).toEqual(calm.hub.folded());
          const { batches, accepted } = (await disturbed.open().then(async (a) => (await a.close(), a))).store.state
            .sent;
          const stored = [...disturbed.hub.batches.values()];
          expect(batches).toBe(stored.length);
          expect(accepted).toBe(stored.reduce((sum, b) => sum + b.rows.observations.length, 0));
        } finally {
          await disturbed.stop();
          await calm.stop();
        }
      }),
      { numRuns: 8 },
    );
  });
});
