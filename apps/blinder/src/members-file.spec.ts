import { rmSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { markedForDevelopment, publicPart, type BlinderList } from '@app/protocol';
import { AcceptedList } from './accepted-list.js';
import { MembersFile } from './members-file.js';
import { ALLIANCE, scratch, signedList, TestCaller, type LogLine } from './testing.js';

const upbit = new TestCaller('upbit');
const korbit = new TestCaller('korbit', 'EdDSA');
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

const listOf = (sequence: number, ...callers: TestCaller[]) =>
  signedList({ sequence, members: callers.map((caller) => caller.entry()) });

describe('the followed list of members', () => {
  let file: MembersFile | undefined;
  afterEach(() => file?.close());

  const open = async (text: string, more: { state?: string; production?: boolean } = {}) => {
    const { state = scratch(), production = false } = more;
    const path = join(scratch(), 'members.jws');
    writeFileSync(path, text);
    const logged: LogLine[] = [];
    const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line) as LogLine) });
    const rules = { allianceKey: publicPart(ALLIANCE), production, accepted: new AcceptedList(state) };
    file?.close();
    file = await MembersFile.open(path, rules, log, 10);
    const complaints = () => logged.filter((line) => line['level'] === 50);
    return { path, complaints, file, state };
  };

  const until = async (holds: () => boolean) => {
    for (let waited = 0; !holds(); waited += 10) {
      if (waited > 5000) throw new Error('Nothing came of it in five seconds.');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('lets a member in and out as newer lists come', async () => {
    const { path, file } = await open(await listOf(1, upbit));
    expect(file.find('korbit')).toBeUndefined();
    writeFileSync(path, await listOf(2, korbit));
    await until(() => file.find('korbit') !== undefined);
    expect(file.find('upbit')).toBeUndefined();
  });

  it('knows members with their keys and quotas, and staff', async () => {
    const members = [
      upbit.entry({ dailyQuota: 5 }),
      { ...korbit.entry(), keys: [korbit.jwk, new TestCaller('k').jwk] },
    ];
    const staff = [new TestCaller('lee@alliance').entry()];
    const { file } = await open(await signedList({ members, staff }));
    expect(file.find('upbit')).toMatchObject({ role: 'member', keys: [{ algorithms: ['ES256'] }], dailyQuota: 5 });
    expect(file.find('korbit')?.keys.map((key) => key.algorithms)).toEqual([['EdDSA', 'Ed25519'], ['ES256']]);
    expect(file.find('lee@alliance')).toMatchObject({ role: 'staff' });
  });

  it.each<[string, () => Promise<string>]>([
    ['is malformed', () => Promise.resolve('{"members":[')],
    ['is plain JSON', () => Promise.resolve(JSON.stringify({ sequence: 3, issuedAt: '', members: [], staff: [] }))],
    ['another key signed', () => signedList({ sequence: 3 }, stranger)],
    ['was signed earlier', () => listOf(1, korbit)],
    ['has the number of the one in force and says something else', () => listOf(2, korbit)],
  ])('keeps the last good list, and says so once, where the new one %s', async (_what, wrong) => {
    const { path, file, complaints } = await open(await listOf(2, upbit));
    writeFileSync(path, await wrong());
    await until(() => complaints().length === 1);
    rmSync(path);
    await until(() => complaints().length === 2);
    expect([file.find('upbit'), file.find('korbit')]).toEqual([expect.anything(), undefined]);
    writeFileSync(path, await listOf(3, korbit));
    await until(() => file.find('korbit') !== undefined);
    expect(complaints()).toHaveLength(2);
  });

  it('takes no list that is older than one accepted before, after a restart neither', async () => {
    const { state } = await open(await listOf(7, upbit));
    await expect(open(await listOf(6, upbit, korbit), { state })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      where: 'BLINDER_MEMBERS_FILE',
      message: expect.stringMatching(/sequence 6, but 7 was accepted/),
    });
    await expect(open(await listOf(7, korbit), { state })).rejects.toThrow(/sequence 7, as another one/);
    await open(await listOf(8, korbit), { state });
  });

  it('takes the list in force again after a restart', async () => {
    const text = await listOf(7, upbit);
    const { state } = await open(text);
    expect((await open(text, { state })).file.find('upbit')).toBeDefined();
  });

  it('does not go on where it has lost its memory of what was accepted', async () => {
    const { state } = await open(await listOf(7, upbit));
    writeFileSync(join(state, 'accepted-list.json'), '{"sequ');
    await expect(open(await listOf(6, upbit), { state })).rejects.toMatchObject({ where: 'BLINDER_STATE_DIR' });
  });

  it('must be good at first', async () => {
    for (const text of ['[]', await signedList({}, stranger)])
      await expect(open(text)).rejects.toMatchObject({ code: 'CONFIG_INVALID', where: 'BLINDER_MEMBERS_FILE' });
  });

  it('has no key that was made for development in production', async () => {
    const marked: BlinderList['members'] = [{ name: 'upbit', keys: [markedForDevelopment(upbit.jwk)] }];
    const text = await signedList({ members: marked });
    await open(text);
    await expect(open(text, { production: true })).rejects.toThrow(/made for development/);
  });
});
