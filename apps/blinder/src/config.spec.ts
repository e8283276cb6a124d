import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from './config.js';
import { loadSeed } from './seed.js';
import { openTestBlinder, scratch } from './testing.js';

const HEX = 'a1'.repeat(32);
const needed = { BLINDER_KEY: HEX, BLINDER_MEMBERS_FILE: '/m.json', BLINDER_STATE_DIR: '/state' };

describe('the configuration', () => {
  it('has defaults for all but key, members and state', () => {
    expect(readConfig(needed)).toEqual({
      host: '127.0.0.1',
      port: 8201,
      epoch: 1,
      seed: { from: 'env', seed: Buffer.from(HEX, 'hex') },
      membersFile: '/m.json',
      dailyQuota: 200_000,
      stateDir: '/state',
      audience: 'bongsu-blinder',
    });
  });

  it('takes a seed in hex or base64url', () => {
    const text = Buffer.from(HEX, 'hex').toString('base64url');
    expect(readConfig({ ...needed, BLINDER_KEY: text }).seed).toEqual(readConfig(needed).seed);
  });

  it.each([
    ['BLINDER_KEY', { BLINDER_KEY: undefined }],
    ['BLINDER_KEY', { BLINDER_KEY: 'a1'.repeat(31) }],
    ['BLINDER_KEY', { BLINDER_KEY_FILE: '/key' }],
    ['BLINDER_MEMBERS_FILE', { BLINDER_MEMBERS_FILE: undefined }],
    ['BLINDER_STATE_DIR', { BLINDER_STATE_DIR: '' }],
    ['BLINDER_PORT', { BLINDER_PORT: '70000' }],
    ['BLINDER_EPOCH', { BLINDER_EPOCH: '0' }],
    ['BLINDER_DAILY_QUOTA', { BLINDER_DAILY_QUOTA: 'many' }],
  ])('names %s when %p', (where, change) => {
    expect(() => readConfig({ ...needed, ...change })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', where, message: expect.stringContaining(where) }),
    );
  });

  it('never repeats a seed that it refuses', () => {
    expect(() => readConfig({ ...needed, BLINDER_KEY: 'hunter2' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });
});

describe("the key's file", () => {
  const path = join(scratch(), 'key');
  beforeAll(() => writeFileSync(path, `${HEX}\n`));

  it('is read when only its owner and group can', () => {
    chmodSync(path, 0o640);
    expect(loadSeed({ from: 'file', path })).toEqual(Buffer.from(HEX, 'hex'));
  });

  it('is refused when everyone can, or when it is not there', () => {
    chmodSync(path, 0o644);
    for (const file of [path, `${path}.gone`])
      expect(() => loadSeed({ from: 'file', path: file })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', where: 'BLINDER_KEY_FILE' }),
      );
  });
});

describe('a start fails', () => {
  it('on a taken port and names it', async () => {
    const first = await openTestBlinder([]);
    const port = Number(new URL(first.url).port);
    await expect(openTestBlinder([], { port })).rejects.toMatchObject({
      where: 'BLINDER_PORT',
      message: expect.stringContaining(String(port)),
    });
    await first.close();
  });

  it('on a state folder that is none', async () => {
    const stateDir = join(scratch(), 'file');
    writeFileSync(stateDir, '');
    await expect(openTestBlinder([], { stateDir })).rejects.toMatchObject({ where: 'BLINDER_STATE_DIR' });
  });
});
