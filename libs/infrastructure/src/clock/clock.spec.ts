import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clockFromEnv, SystemClock, writeClockFile } from './index.js';

describe('the clock of a process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bongsu-clock-'));
  const file = join(folder, 'clock.json');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is the system’s by default', () => {
    expect(clockFromEnv({})).toBeInstanceOf(SystemClock);
    expect(clockFromEnv({ NODE_ENV: 'production' })).toBeInstanceOf(SystemClock);
  });

  it('is refused in production where it is simulated, also with a file that fits', () => {
    writeClockFile(file, 0);
    expect(() => clockFromEnv({ CLOCK_FILE: file, NODE_ENV: 'production' })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        where: 'CLOCK_FILE',
        message: expect.stringContaining('unset'),
      }),
    );
  });

  it('follows whoever drives it, by its rate', async () => {
    writeClockFile(file, 1_000_000, 0);
    const clock = clockFromEnv({ CLOCK_FILE: file });
    expect(clock.now()).toBe(1_000_000);
    writeClockFile(file, 5_000_000, 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(clock.now()).toBe(5_000_000);
    writeFileSync(file, JSON.stringify({ at: 0, setAt: Date.now() - 1000, rate: 3600 }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(clock.now()).toBeGreaterThanOrEqual(3_600_000);
  });

  it.each([['no JSON'], ['{}'], ['{"at":"soon","setAt":0,"rate":1}']])('refuses a file that holds %s', (content) => {
    writeFileSync(file, content);
    expect(() => clockFromEnv({ CLOCK_FILE: file })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('refuses a file that is not there, by name', () => {
    expect(() => clockFromEnv({ CLOCK_FILE: join(folder, 'none') })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', where: 'CLOCK_FILE' }),
    );
  });
});
