import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { jest } from '@jest/globals';
import { MemberKey } from '@app/member-sdk';
import type { JWK } from 'jose';
import { exists } from '../state/files.js';
import { MemberKeyFiles } from '../state/member-keys.js';
import { agentStatus } from '../status.js';
import { Bench } from '../testing/bench.js';
import { changeKey } from './rotate-key.js';

describe('a change of keys', () => {
  let bench: Bench;
  let old: MemberKey;
  let files: MemberKeyFiles;
  const change = () => changeKey(bench.config, bench.note);
  const current = async () => (await files.look()).current;
  /** The blinder's list gets every key that the hub has. */
  const putOnTheList = () => (bench.blinder.callers = [...bench.hub.oauth.registered!]);

  /** An agent sends something new, so hub and blinder are both asked; with which keys it was. */
  async function sends(hour: number): Promise<{ hub: string | null; blinder: string | null }> {
    const line = {
      hour: `2026-06-01T0${hour}:00:00Z`, access_key: 'k', ip: `203.0.113.${hour}`, network: 'hosting', client: `c${hour}`,
      requests: 1, orders: 0, rejected: 0, active_slots: 1, burst_slots: 0,
    }; // prettier-ignore
    const path = bench.path(`usage-${hour}`);
    await writeFile(path, `${JSON.stringify(line)}\n`);
    const agent = await bench.open([{ kind: 'usage', path }]);
    const batches = bench.hub.batches.size;
    await bench.pushAll(agent);
    await agent.dropOldKey();
    await agent.close();
    expect(bench.hub.batches.size).toBe(batches + 1);
    return { hub: agent.doors.hub.keyInUse, blinder: agent.doors.blinders[0]!.keyInUse };
  }

  beforeEach(async () => {
    bench = await Bench.start();
    files = new MemberKeyFiles(bench.config.keyFile);
    old = await current();
    bench.hub.oauth.registered = [old.publicJwk as JWK];
    bench.blinder.callers = [old.publicJwk as JWK];
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await bench.stop();
  });

  it('takes the new key to the hub at once, and to the blinder when its list has it; then the old one goes', async () => {
    expect(await change()).toBe(false);
    const next = await current();
    expect(next.thumbprint).not.toBe(old.thumbprint);
    expect(await sends(1)).toEqual({ hub: next.name, blinder: old.name });
    expect(await exists(files.previousPath)).toBe(true);
    putOnTheList();
    expect(await sends(2)).toEqual({ hub: next.name, blinder: next.name });
    expect(await exists(files.previousPath)).toBe(false);
    expect(bench.notes.join('\n')).toMatch(/the one before is removed/);
  });

  it('is finished by asking again, which changes nothing more', async () => {
    await change();
    const next = await current();
    expect(await change()).toBe(false);
    putOnTheList();
    expect(await change()).toBe(true);
    expect((await current()).thumbprint).toBe(next.thumbprint);
    expect(await files.look()).toMatchObject({ next: null, previous: null });
    expect(bench.hub.requests.filter((r) => r.asked === 'rotateMemberKey')).toHaveLength(1);
  });

  it('keeps every key file to its owner, and the public half beside it up to date', async () => {
    await change();
    for (const path of [files.path, files.previousPath]) expect((await stat(path)).mode & 0o777).toBe(0o600);
    const shown = JSON.parse(await readFile(bench.path('public.jwk.json'), 'utf8')) as JWK;
    expect(shown).toMatchObject({ ...(await current()).publicJwk });
    expect(shown).not.toHaveProperty('d');
    expect(bench.notes.join('\n')).not.toContain('"d"');
  });

  it('is followed by an agent that runs meanwhile', async () => {
    const agent = await bench.open([]);
    await agent.doors.hub.lastSequence();
    await change();
    bench.hub.oauth.registered = bench.hub.oauth.registered!.slice(0, 1);
    bench.hub.expireTokens();
    await agent.doors.hub.lastSequence();
    const { keys } = await agentStatus(agent);
    const { name } = await current();
    expect(keys).toMatchObject({ current: name, previous: old.name, next: null, inUse: { hub: name } });
    await agent.close();
  });

  describe.each<[string, () => Promise<void> | void]>([
    ['the hub is away', () => void (bench.hub.away = true)],
    ["the hub's answer is lost", () => void (bench.hub.rotation = 'lose the answer')],
    [
      'the answer is not noted',
      () => void jest.spyOn(MemberKeyFiles.prototype, 'switch').mockRejectedValue(new Error('killed')),
    ],
    [
      'the switch is half made',
      () =>
        void jest.spyOn(MemberKeyFiles.prototype, 'switch').mockImplementation(async function (this: MemberKeyFiles) {
          await copyFile(this.path, this.previousPath);
          throw new Error('killed');
        }),
    ],
    [
      'the switch is made and no more',
      () => {
        const whole = MemberKeyFiles.prototype.switch;
        jest.spyOn(MemberKeyFiles.prototype, 'switch').mockImplementation(async function (this: MemberKeyFiles) {
          await whole.call(this);
          throw new Error('killed');
        });
      },
    ],
  ])('that is ended where %s', (_, end) => {
    beforeEach(async () => {
      await end();
      await expect(change()).rejects.toThrow();
      jest.restoreAllMocks();
      bench.hub.away = false;
      bench.hub.rotation = 'answer';
    });

    it('leaves keys that hub and blinder take', async () => {
      await sends(1);
    });

    it('still does when the hub has let the old key go', async () => {
      bench.hub.oauth.registered = bench.hub.oauth.registered!.slice(0, 1);
      await sends(1);
    });

    it('goes on with the key that it had begun with', async () => {
      const { next, current: now } = await files.look();
      expect(await change()).toBe(false);
      expect((await current()).thumbprint).toBe((next ?? now).thumbprint);
      expect((await files.look()).previous?.thumbprint).toBe(old.thumbprint);
      putOnTheList();
      expect(await change()).toBe(true);
      expect(bench.hub.requests.filter((r) => r.asked === 'rotateMemberKey')).toHaveLength(1);
      expect(await sends(1)).toEqual({ hub: (await current()).name, blinder: (await current()).name });
    });
  });

  it('goes over to a key that staff have put in the place of a stolen one', async () => {
    bench.hub.oauth.registered = [];
    await expect(change()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const said = bench.notes.find((text) => text.includes('public half'))!;
    const { name, jwk } = JSON.parse(said.slice(said.indexOf('{'))) as { name: string; jwk: JWK };
    bench.hub.oauth.registered = [jwk];
    bench.blinder.callers = [jwk];
    expect(await change()).toBe(true);
    expect(name).toBe('upbit');
    expect((await current()).name).toBe(jwk.kid);
    expect(bench.hub.requests.some((r) => r.asked === 'rotateMemberKey')).toBe(false);
  });

  it("tells the hub's refusal and keeps the old key", async () => {
    bench.hub.rotation = {
      status: 200,
      body: { data: null, errors: [{ message: 'another has it', extensions: { code: 'BAD_INPUT' } }] },
    };
    await expect(change()).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/another has it/),
    });
    expect((await current()).thumbprint).toBe(old.thumbprint);
    expect(await sends(1)).toEqual({ hub: old.name, blinder: old.name });
  });
});
