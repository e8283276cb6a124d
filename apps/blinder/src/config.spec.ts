import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEVELOPMENT_MARK, markedForDevelopment, publicPart } from '@app/protocol';
import { readConfig } from './config.js';
import { ALLIANCE, openTestBlinder, scratch } from './testing.js';

const HEX = 'a1'.repeat(32);
const allianceKey = publicPart(ALLIANCE);
const needed = {
  BLINDER_KEY: HEX,
  BLINDER_ALLIANCE_KEY: JSON.stringify(allianceKey),
  BLINDER_MEMBERS_FILE: '/m.jws',
  BLINDER_STATE_DIR: '/state',
};

describe('the configuration', () => {
  it('has defaults for all but keys, members and state', () => {
    expect(readConfig(needed).config).toEqual({
      host: '127.0.0.1',
      port: 8201,
      epoch: 1,
      membersFile: '/m.jws',
      allianceKey,
      production: false,
      dailyQuota: 200_000,
      keyDir: '/state/keys',
      seedFile: undefined,
      stateDir: '/state',
      audience: 'bongsu-blinder',
    });
  });

  it('takes a seed in hex or base64url, and one made for development', () => {
    const text = Buffer.from(HEX, 'hex').toString('base64url');
    for (const same of [HEX, text, `${DEVELOPMENT_MARK}:${HEX}`])
      expect(readConfig({ ...needed, BLINDER_KEY: same }).secrets.seed).toEqual(Buffer.from(HEX, 'hex'));
  });

  it.each([
    ['BLINDER_KEY', { BLINDER_KEY: undefined }],
    ['BLINDER_KEY', { BLINDER_KEY: 'a1'.repeat(31) }],
    ['BLINDER_KEY_FILE', { BLINDER_KEY_FILE: '/key' }],
    ['BLINDER_KEY', { BLINDER_KEY: `${DEVELOPMENT_MARK}:${HEX}`, NODE_ENV: 'production' }],
    ['BLINDER_ALLIANCE_KEY', { BLINDER_ALLIANCE_KEY: undefined }],
    ['BLINDER_ALLIANCE_KEY', { BLINDER_ALLIANCE_KEY: '{' }],
    ['BLINDER_ALLIANCE_KEY', { BLINDER_ALLIANCE_KEY: '{"kty":"oct","k":"AA"}' }],
    ['BLINDER_ALLIANCE_KEY', { BLINDER_ALLIANCE_KEY: JSON.stringify({ ...allianceKey, x: 'AA' }) }],
    ['BLINDER_ALLIANCE_KEY', { BLINDER_ALLIANCE_KEY: JSON.stringify(ALLIANCE) }],
    [
      'BLINDER_ALLIANCE_KEY',
      { BLINDER_ALLIANCE_KEY: JSON.stringify(markedForDevelopment(allianceKey)), NODE_ENV: 'production' },
    ],
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
  const { BLINDER_KEY: _, ...others } = needed;
  const read = (file: string) => readConfig({ ...others, BLINDER_KEY_FILE: file, NODE_ENV: 'production' });
  beforeAll(() => writeFileSync(path, `${HEX}\n`));

  it('is read when only its owner and group can', () => {
    chmodSync(path, 0o640);
    expect(read(path).secrets.seed).toEqual(Buffer.from(HEX, 'hex'));
  });

  it('is refused when everyone can, or when it is not there', () => {
    chmodSync(path, 0o644);
    for (const file of [path, `${path}.gone`])
      expect(() => read(file)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', where: 'BLINDER_KEY_FILE' }));
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
