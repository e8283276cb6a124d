import { writeFile } from 'node:fs/promises';
import { jest } from '@jest/globals';
import type { JWK } from 'jose';
import { MemberKeyFiles } from '../state/member-keys.js';
import { Bench } from '../testing/bench.js';
import { doctor } from './doctor.js';
import { changeKey } from './rotate-key.js';

describe('doctor', () => {
  let bench: Bench;
  let files: MemberKeyFiles;

  /** What it says, and whether it found something wrong. */
  async function examine(): Promise<{ said: string; wrong: boolean }> {
    const log = jest.spyOn(console, 'log').mockImplementation(() => {});
    const before = process.exitCode;
    process.exitCode = 0;
    try {
      await doctor({ config: bench.config.file });
      return { said: log.mock.calls.map(([line]) => String(line)).join('\n'), wrong: process.exitCode === 1 };
    } finally {
      log.mockRestore();
      process.exitCode = before;
    }
  }

  beforeEach(async () => {
    bench = await Bench.start();
    const { file, keyFile, stateDir, blinders } = bench.config;
    const publicKey = Buffer.from(bench.blinder.publicKey).toString('base64url');
    await writeFile(
      file,
      `member: upbit\nhub: { url: "${bench.hub.url}" }\nkeyFile: ${keyFile}\nstateDir: ${stateDir}\nlegalBasis: contract_terms\n` +
        `blinders: [{ url: "${blinders[0]!.url}", publicKeys: { 1: ${publicKey} } }]\n`,
    );
    files = new MemberKeyFiles(keyFile);
    const known = (await files.look()).current.publicJwk as JWK;
    bench.hub.oauth.registered = [known];
    bench.blinder.callers = [known];
  });
  afterEach(() => bench.stop());

  it('finds nothing wrong where nothing is', async () => {
    const { said, wrong } = await examine();
    expect(said).toMatch(/Nothing is wrong/);
    expect(wrong).toBe(false);
  });

  it.each([
    [90_000, /WRONG clock: this machine's clock is (89|90|91) s behind.*NTP.*allows for/, /ok {4}registration/],
    [-90_000, /WRONG clock: this machine's clock is (89|90|91) s ahead/, /ok {4}registration/],
    [3_600_000, /WRONG clock: this machine's clock is 360\d s behind/, /WRONG registration.*360\d s behind/],
  ])('says what is the matter with a clock that is %i ms off', async (offset, clock, registration) => {
    bench.hub.oauth.now = () => Date.now() + offset;
    const { said, wrong } = await examine();
    expect(said).toMatch(clock);
    expect(said).toMatch(registration);
    expect(wrong).toBe(true);
  });

  it('tells a member that the blinder does not know from one that the hub does not know', async () => {
    bench.blinder.callers = [];
    const { said } = await examine();
    expect(said).toMatch(/ok {4}registration/);
    expect(said).toMatch(/WRONG blinder.*UNAUTHENTICATED/);
  });

  it('says which key is used where while they change', async () => {
    const old = (await files.look()).current;
    await changeKey(bench.config, bench.note);
    const { current } = await files.look();
    const { said, wrong } = await examine();
    expect(said).toContain(`ok    registration at the hub: known by ${current.name}`);
    expect(said).toMatch(new RegExp(`knows upbit by ${old.name}; the list there does not have the current key yet`));
    expect(wrong).toBe(false);
  });

  it('sends somebody on where a change of keys stopped half-way', async () => {
    const next = await files.begin('upbit');
    const { said, wrong } = await examine();
    expect(said).toContain(
      `WRONG key: a change of keys to ${next.name} was begun and not finished; run \`rotate-key\``,
    );
    expect(wrong).toBe(true);
  });
});
