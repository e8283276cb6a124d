import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Agent } from '../agent.js';
import { dryRun } from '../commands/push-dry-run.js';
import { readGatewayMapping } from '../input/gateway-mapping.js';
import { Section } from '../config/reader.js';
import { RunLoop } from '../run-loop.js';
import { agentStatus, formatStatus } from '../status.js';
import { Bench, SPEC_TIME } from '../testing/bench.js';

const DAY = 86_400_000;

/** A line of `usage.jsonl`: one key from an address. */
function usage(ip: string, extra: Record<string, unknown> = {}): string {
  const line = {
    hour: '2026-06-01T00:00:00Z', access_key: `key of ${ip}`, ip, client: 'curl', requests: 1, orders: 0, rejected: 0,
    active_slots: 1, burst_slots: 0, ...extra,
  }; // prettier-ignore
  return `${JSON.stringify(line)}\n`;
}

describe("the alliance's warning lists at the agent", () => {
  let bench: Bench;
  let agent: Agent | null;
  beforeEach(async () => {
    agent = null;
    bench = await Bench.start();
    bench.config.inputs = [{ kind: 'usage', path: bench.path('usage.jsonl') }];
  });
  afterEach(async () => {
    await agent?.close();
    await bench.stop();
  });

  /** Pushes lines and answers each one's labels, as the hub got them: network and lists. */
  async function labelsOf(...lines: string[]): Promise<string[]> {
    await writeFile(bench.path('usage.jsonl'), lines.join(''), { flag: 'a' });
    agent ??= await bench.open();
    await agent.followLists();
    const before = bench.hub.batches.size;
    await bench.pushAll(agent);
    return [...bench.hub.batches.values()]
      .slice(before)
      .flatMap((b) => b.rows.observations)
      .map((o) => `${o.network} ${[...o.lists].sort().join(',')}`.trim());
  }
  const held = async () => (await agentStatus(agent!)).warningLists;
  const files = async () => (await readdir(bench.path('state/lists'))).sort();

  it('label addresses here, so that only their names leave', async () => {
    bench.hub.putWarningList('tor', ['185.220.101.0/24', '2a0b:f4c2::/40']);
    bench.hub.putWarningList('vpn', ['185.220.0.0/16']);
    expect(
      await labelsOf(
        usage('185.220.101.255'), usage('185.220.100.255'), usage('185.221.0.0'), usage('2a0b:f4c2:ff::1'), usage('2a0b:f4c3::'),
        usage('::ffff:185.220.101.1'),
      ), // prettier-ignore
    ).toEqual(['unknown tor,vpn', 'unknown vpn', 'unknown', 'unknown tor', 'unknown', 'unknown tor,vpn']);
  });

  it('are joined with what the exchange itself says', async () => {
    bench.hub.putWarningList('tor', ['185.220.101.0/24']);
    expect(
      await labelsOf(
        usage('185.220.101.1', { lists: ['own', 'tor', 'own'], network: 'vpn' }),
        usage('1.1.1.1', { lists: ['own'] }),
      ),
    ).toEqual(['vpn own,tor', 'unknown own']);
  });

  it('never make a row too much for a batch', async () => {
    bench.hub.putWarningList('tor', ['185.220.101.0/24']);
    const own = Array.from({ length: 32 }, (_, i) => `own ${i}`);
    const [labels] = await labelsOf(
      usage('185.220.101.1', { lists: own }),
      usage('1.1.1.1', { lists: [...own, 'more'] }),
    );
    expect(labels!.split(',')).toHaveLength(32);
    expect(labels).toContain('tor');
    expect((await agentStatus(agent!)).inputs[0]).toMatchObject({ counted: 1, refused: { LIST_NAME_INVALID: 1 } });
  });

  it('follow what the hub adds, changes and ends', async () => {
    const line = usage('185.220.101.1');
    bench.hub.putWarningList('tor', ['185.220.101.0/24']);
    expect(await labelsOf(line)).toEqual(['unknown tor']);
    bench.hub.putWarningList('vpn', ['185.220.101.0/24']);
    expect(await labelsOf(line)).toEqual(['unknown tor,vpn']);
    bench.hub.putWarningList('tor', ['1.1.1.1/32']);
    expect(await labelsOf(line)).toEqual(['unknown vpn']);
    bench.hub.putWarningList('vpn', []);
    expect(await labelsOf(line)).toEqual(['unknown']);
    expect((await held()).lists).toMatchObject([{ name: 'tor', version: 2, entries: 1, source: 'a publisher' }]);
    expect(await files()).toHaveLength(2);
  });

  it('come in pages', async () => {
    for (let i = 0; i < 9; i++) bench.hub.putWarningList(`list ${i}`, ['185.220.101.0/24']);
    expect((await labelsOf(usage('185.220.101.1')))[0]!.split(',')).toHaveLength(9);
  });

  it('count until they expire, also on a machine that heard nothing since', async () => {
    const line = usage('185.220.101.1');
    bench.hub.putWarningList('tor', ['185.220.101.0/24'], { expiresAt: new Date(SPEC_TIME + DAY).toISOString() });
    expect(await labelsOf(line)).toEqual(['unknown tor']);
    bench.clock.at += DAY - 1;
    expect(await labelsOf(line)).toEqual(['unknown tor']);
    bench.clock.at += 1;
    expect(await labelsOf(line)).toEqual(['unknown']);
    expect((await held()).lists).toEqual([]);
  });

  it('are the last ones while the hub is away, across restarts, and say so', async () => {
    const line = usage('185.220.101.1');
    bench.hub.putWarningList('tor', ['185.220.101.0/24']);
    await labelsOf(line);
    await agent!.close();
    bench.hub.away = true;
    agent = await bench.open();
    await agent.followLists();
    const status = await agentStatus(agent);
    expect(status.warningLists).toMatchObject({
      syncedAt: new Date(SPEC_TIME).toISOString(),
      lists: [{ name: 'tor' }],
    });
    expect(status.troubles.join()).toMatch(/cannot be reached.*they are of 2026-06-10/);
    expect(formatStatus(status)).toMatch(/warning lists: tor version 1 of 2026-06-01, 1 entries, until 2027-01-01/);
    bench.hub.away = false;
    expect(await labelsOf(line)).toEqual(['unknown tor']);
    expect((await agentStatus(agent)).troubles).toEqual([]);
  });

  it('are taken anew from a hub that was restored from an older copy', async () => {
    bench.hub.putWarningList('tor', ['185.220.101.0/24']);
    bench.hub.putWarningList('vpn', ['185.220.101.0/24']);
    await labelsOf(usage('185.220.101.1'));
    bench.hub.warningLists = [];
    bench.hub.putWarningList('proxies', ['185.220.101.0/24']);
    expect(await labelsOf(usage('185.220.101.1'))).toEqual(['unknown proxies']);
  });

  it.each<[string, (folder: string) => Promise<void>]>([
    ['an index that is none', (folder) => writeFile(`${folder}/index.json`, '{"version":1,')],
    [
      'a file that is gone',
      async (folder) => {
        for (const name of await readdir(folder)) if (name !== 'index.json') await rm(`${folder}/${name}`);
      },
    ],
    ['an index of a later version', (folder) => writeFile(`${folder}/index.json`, '{"version":2,"lists":[]}')],
  ])('are asked for anew after %s', async (_what, damage) => {
    bench.hub.putWarningList('tor', ['185.220.101.0/24']);
    await labelsOf(usage('185.220.101.1'));
    await agent!.close();
    await damage(bench.path('state/lists'));
    agent = await bench.open();
    expect((await held()).lists).toEqual([]);
    expect(await labelsOf(usage('185.220.101.1'))).toEqual(['unknown tor']);
  });

  it('survive an end between a list’s file and the index: the old ones stand, the leftover goes', async () => {
    bench.hub.putWarningList('tor', ['185.220.101.0/24']);
    await labelsOf(usage('185.220.101.1'));
    await agent!.close();
    await writeFile(bench.path('state/lists/leftover.txt'), '1.1.1.1/32\n');
    agent = await bench.open();
    expect((await held()).lists).toMatchObject([{ name: 'tor' }]);
    expect(await files()).toHaveLength(2);
  });

  it('are there before the first line that `run` reads, and followed beside it', async () => {
    bench.hub.putWarningList('tor', ['185.220.101.0/24']);
    await writeFile(bench.path('usage.jsonl'), usage('185.220.101.1'));
    const loop = new RunLoop(await bench.open(), bench.note);
    await loop.start();
    while (bench.hub.batches.size === 0) await new Promise((next) => setTimeout(next, 10));
    await loop.stop();
    expect([...bench.hub.folded().values()]).toMatchObject([{ lists: ['tor'] }]);
  });

  it('show in a dry run as they came last, and the network class beside them', async () => {
    bench.hub.putWarningList('tor', ['5.9.1.0/24']);
    await labelsOf(usage('1.1.1.1'));
    await agent!.close();
    agent = null;
    bench.config.network = 'asn';
    await writeFile(bench.path('one.jsonl'), usage('5.9.1.7') + usage('39.7.1.1', { network: 'hosting' }));
    const printed: string[] = [];
    const log = console.log;
    console.log = (text: string) => void printed.push(text);
    try {
      await dryRun(bench.config, bench.clock, [{ kind: 'usage', path: bench.path('one.jsonl') }], true);
    } finally {
      console.log = log;
    }
    const rows = printed.filter((text) => text.startsWith('observations'));
    expect(rows.join('\n')).toMatch(/"network":"hosting","lists":\["tor"\]/);
    expect(rows).toHaveLength(2);
    expect(rows.filter((row) => row.includes('"network":"hosting"'))).toHaveLength(2);
    expect(printed.join()).not.toContain('5.9.1');
  });
});

describe('network classes at the agent', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.start();
  });
  afterEach(() => bench.stop());

  async function networks(network: 'asn' | 'field'): Promise<string[]> {
    const line = (ip: string, extra: object = {}) =>
      `${JSON.stringify({ time: '2026-06-01T00:00:01Z', ip, key: `of ${ip}`, path: '/', method: 'GET', status: 200, ...extra })}\n`;
    await writeFile(
      bench.path('access.log'),
      line('39.7.1.1') + line('5.9.1.1') + line('5.9.1.2', { net: 'residential' }) + line('203.0.113.1'),
    );
    const fields = { time: 'time', ip: 'ip', accessKey: 'key', network: 'net' };
    const mapping = readGatewayMapping(Section.of({ fields }, ''));
    bench.config.network = network;
    const agent = await bench.open([{ kind: 'gateway', path: bench.path('access.log'), mapping }]);
    await bench.pushAll(agent);
    expect((await agentStatus(agent)).networkTable).toEqual(
      network === 'asn'
        ? {
            name: '@ip-location-db/asn',
            version: expect.any(String),
            date: expect.stringMatching(/^20\d\d-\d\d-\d\d$/),
          }
        : null,
    );
    await agent.close();
    return [...bench.hub.batches.values()].flatMap((b) => b.rows.observations).map((o) => o.network);
  }

  it('come from the table where a gateway’s line has none, and from the line where it has one', async () => {
    expect(await networks('asn')).toEqual(['mobile', 'hosting', 'residential', 'unknown']);
  });

  it('come from the line alone unless the configuration asks for the table', async () => {
    expect(await networks('field')).toEqual(['unknown', 'unknown', 'residential', 'unknown']);
  });

  it('are kept out of the sums: a log read again gives the same hours', async () => {
    await networks('asn');
    const parts = await readdir(bench.path('state/parts'));
    const text = (await Promise.all(parts.map((name) => readFile(bench.path(`state/parts/${name}`), 'utf8')))).join();
    expect(text).toContain('5.9.1.1');
    expect(text).not.toContain('hosting');
  });
});
