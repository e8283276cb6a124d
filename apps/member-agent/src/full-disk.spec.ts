import { appendFile, open, type FileHandle } from 'node:fs/promises';
import fc from 'fast-check';
import { Section } from './config/reader.js';
import { readGatewayMapping } from './input/gateway-mapping.js';
import { diskTrouble } from './state/disk-trouble.js';
import { Bench } from './testing/bench.js';

const START = Date.parse('2026-06-01T00:00:00Z');
const mapping = readGatewayMapping(Section.of({ preset: 'nginx' }, ''));

function line(i: number): string {
  const time = new Date(START + i * 97_000).toISOString();
  const value = { time, remote_addr: `203.0.113.${i % 3}`, method: 'POST', path: '/v1/orders', status: '200' };
  return `${JSON.stringify({ ...value, access_key: `key-${i % 4}` })}\n`;
}

/** A disk that takes so many more writes; the next one is done in part and fails. */
class Disk {
  writesLeft = Infinity;
  private readonly handle: FileHandle;
  private readonly originals: Pick<FileHandle, 'writeFile' | 'appendFile' | 'write'>;

  private constructor(handle: FileHandle) {
    this.handle = handle;
    const { writeFile, appendFile: append, write } = handle;
    this.originals = { writeFile, appendFile: append, write };
  }

  static async watch(): Promise<Disk> {
    const file = await open('/dev/null');
    await file.close();
    const disk = new Disk(Object.getPrototypeOf(file) as FileHandle);
    for (const name of ['writeFile', 'appendFile', 'write'] as const) {
      const original = disk.originals[name] as (...args: unknown[]) => Promise<unknown>;
      disk.handle[name] = async function (this: FileHandle, data: string, ...rest: unknown[]) {
        if (disk.writesLeft-- > 0) return original.call(this, data, ...rest);
        await (disk.originals.write as (data: Uint8Array) => Promise<unknown>).call(
          this,
          Buffer.from(data).subarray(0, 7),
        );
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      } as never;
    }
    return disk;
  }

  restore(): void {
    Object.assign(this.handle, this.originals);
  }
}

describe('a full disk', () => {
  let disk: Disk;
  beforeEach(async () => {
    disk = await Disk.watch();
  });
  afterEach(() => disk.restore());

  it.each(Array.from({ length: 9 }, (_, i) => i))(
    'at write %i of a round: an hour goes on from what it was',
    async (at) => {
      const bench = await Bench.start();
      try {
        const path = bench.path('log');
        bench.config.inputs = [{ kind: 'gateway', path, mapping }];
        const lines = (from: number, to: number) =>
          appendFile(path, Array.from({ length: to - from }, (_, i) => line(from + i)).join(''));
        let agent = await bench.open();
        await lines(0, 20);
        await bench.pushAll(agent, false);
        await lines(20, 30);
        disk.writesLeft = at;
        await bench.pushAll(agent, false).catch(() => {});
        disk.writesLeft = Infinity;
        await bench.pushAll(agent, false);
        await agent.close();
        agent = await bench.open();
        await lines(30, 36);
        await bench.pushAll(agent, false);
        await agent.close();
        expect([...bench.hub.folded().values()].reduce((sum, o) => sum + o.requests, 0)).toBe(36);
      } finally {
        await bench.stop();
      }
    },
  );

  it('loses nothing and sends nothing twice, wherever it strikes, in one process and over restarts', async () => {
    const step = fc.record({
      lines: fc.integer({ min: 1, max: 60 }),
      writes: fc.option(fc.integer({ min: 0, max: 9 }), { freq: 3 }),
      again: fc.boolean(),
      restart: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const [disturbed, calm] = [await Bench.start(), await Bench.start()];
        for (const b of [disturbed, calm]) b.config.inputs = [{ kind: 'gateway', path: b.path('log'), mapping }];
        try {
          let written = 0;
          let agent = await disturbed.open();
          for (const { lines, writes, again, restart } of steps) {
            const text = Array.from({ length: lines }, (_, i) => line(written + i)).join('');
            written += lines;
            for (const b of [disturbed, calm]) await appendFile(b.path('log'), text);
            disk.writesLeft = writes ?? Infinity;
            await disturbed.pushAll(agent, false).catch((error: unknown) => {
              expect(diskTrouble(error)).toMatch(/^ENOSPC: the disk is full: free some space/);
            });
            disk.writesLeft = Infinity;
            if (again) await disturbed.pushAll(agent, false);
            if (!restart) continue;
            await agent.close();
            agent = await disturbed.open();
          }
          await disturbed.pushAll(agent);
          const { counted } = agent.store.state.sources[agent.sources[0]!.id]!;
          expect({ counted, caughtUp: await agent.caughtUp() }).toEqual({ counted: written, caughtUp: true });
          await agent.close();
          // What is on disk is as good as what was in memory.
          const again = await disturbed.open();
          expect(await again.caughtUp()).toBe(true);
          await again.close();
          const other = await calm.open();
          await calm.pushAll(other);
          await other.close();
          expect(disturbed.hub.folded()).toEqual(calm.hub.folded());
        } finally {
          await disturbed.stop();
          await calm.stop();
        }
      }),
      { numRuns: 10 },
    );
  });
});
