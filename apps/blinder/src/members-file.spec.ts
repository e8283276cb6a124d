import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import { pino } from 'pino';
import { MembersFile } from './members-file.js';
import { parseRoster } from './roster.js';
import { scratch, TestCaller, type LogLine } from './testing.js';

const upbit = new TestCaller('upbit');
const korbit = new TestCaller('korbit', 'EdDSA');
const listOf = (...members: object[]): string => JSON.stringify({ members });

describe('the list of callers', () => {
  const jwk = (upbit.entry() as { jwk: object }).jwk;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });

  it('holds members with their keys and quotas, and staff', () => {
    const staff = [new TestCaller('lee@alliance').entry()];
    const roster = parseRoster(JSON.stringify({ members: [upbit.entry({ dailyQuota: 5 }), korbit.entry()], staff }));
    expect([...roster.values()]).toMatchObject([
      { name: 'upbit', role: 'member', algorithms: ['ES256'], dailyQuota: 5 },
      { name: 'korbit', role: 'member', algorithms: ['EdDSA', 'Ed25519'] },
      { name: 'lee@alliance', role: 'staff' },
    ]);
  });

  it.each([
    ['that is not JSON', '{', undefined],
    ['without members', '{}', 'members'],
    ['with a name that is none', listOf({ name: 'Up bit', jwk }), 'members[0].name'],
    ['with a name twice', listOf(upbit.entry(), upbit.entry()), 'members[1].name'],
    ['with a private key', listOf({ name: 'upbit', jwk: { ...jwk, d: 'AA' } }), 'members[0].jwk'],
    ['with an RSA key', listOf({ name: 'upbit', jwk: rsa }), 'members[0].jwk'],
    ['with a point off its curve', listOf({ name: 'upbit', jwk: { ...jwk, x: 'AA' } }), 'members[0].jwk'],
    ['with no key', listOf({ name: 'upbit' }), 'members[0].jwk'],
    ['with a quota below zero', listOf(upbit.entry({ dailyQuota: -1 })), 'members[0].dailyQuota'],
  ])('is refused %s', (_name, text, where) => {
    expect(() => parseRoster(text)).toThrow(expect.objectContaining({ code: 'BAD_INPUT', where }));
  });
});

describe('the followed members file', () => {
  let file: MembersFile | undefined;
  afterEach(() => file?.close());

  const open = async (text: string) => {
    const path = join(scratch(), 'members.json');
    writeFileSync(path, text);
    const logged: LogLine[] = [];
    const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line) as LogLine) });
    file = await MembersFile.open(path, log, 10);
    return { path, logged, file };
  };

  const until = async (holds: () => boolean) => {
    for (let waited = 0; !holds(); waited += 10) {
      if (waited > 5000) throw new Error('Nothing came of it in five seconds.');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('lets a member in and out as the file changes', async () => {
    const { path, file } = await open(listOf(upbit.entry()));
    expect(file.find('korbit')).toBeUndefined();
    writeFileSync(path, listOf(korbit.entry()));
    await until(() => file.find('korbit') !== undefined);
    expect(file.find('upbit')).toBeUndefined();
  });

  it('keeps the last good list, and says so once, while the file is malformed or gone', async () => {
    const { path, file, logged } = await open(listOf(upbit.entry()));
    const complaints = () => logged.filter((line) => line['level'] === 50);
    writeFileSync(path, '{"members":[');
    await until(() => complaints().length === 1);
    rmSync(path);
    await until(() => complaints().length === 2);
    expect(file.find('upbit')).toBeDefined();
    writeFileSync(path, listOf(korbit.entry()));
    await until(() => file.find('korbit') !== undefined);
    expect(complaints()).toHaveLength(2);
  });

  it('must be good at first', async () => {
    await expect(open('[]')).rejects.toMatchObject({ code: 'CONFIG_INVALID', where: 'BLINDER_MEMBERS_FILE' });
  });
});
