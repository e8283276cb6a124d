import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { keyThumbprint, openBlinderList, publicPart } from '@app/protocol';
import { allianceKeyCommand, blinderListCommand } from './blinder-list.js';

const newKey = () =>
  publicPart(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }));

describe('the list of members, kept and signed offline', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bongsu-list-'));
  const path = (name: string) => join(folder, name);
  const file = (name: string, content: unknown) => {
    writeFileSync(path(name), JSON.stringify(content));
    return path(name);
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  let said = '';
  beforeEach(() => {
    said = '';
    const take = (text: unknown) => {
      said += String(text);
      return true;
    };
    jest.spyOn(process.stdout, 'write').mockImplementation(take as never);
    jest.spyOn(process.stderr, 'write').mockImplementation(take as never);
  });
  afterEach(() => jest.restoreAllMocks());

  const list = path('list.json');
  const signed = path('members.jws');
  const run = (...args: string[]) => blinderListCommand().parseAsync([...args, '--list', list], { from: 'user' });
  const sign = () => run('sign', '--key', path('alliance.jwk'), '--out', signed);
  const verify = (key = path('alliance.public.jwk')) =>
    blinderListCommand().parseAsync(['verify', signed, '--key', key], { from: 'user' });
  const opened = async () =>
    openBlinderList(readFileSync(signed, 'utf8'), JSON.parse(readFileSync(path('alliance.public.jwk'), 'utf8')));
  const first = newKey();
  const second = newKey();

  it('begins with a key that only its owner can read, and that is never overwritten', async () => {
    const make = () =>
      allianceKeyCommand().parseAsync(['--out', path('alliance.jwk'), '--public', path('alliance.public.jwk')], {
        from: 'user',
      });
    await make();
    const key = JSON.parse(readFileSync(path('alliance.jwk'), 'utf8')) as { d: string };
    expect(statSync(path('alliance.jwk')).mode & 0o777).toBe(0o600);
    expect(readFileSync(path('alliance.public.jwk'), 'utf8')).not.toContain(key.d);
    expect(said).toContain(await keyThumbprint(publicPart(key)));
    expect(said).not.toContain(key.d);
    await expect(make()).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('is what the blinder will read once it is signed, each time under a higher number', async () => {
    await run('create');
    await expect(run('create')).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await run('add', file('join.json', { name: 'upbit', jwk: first, delivery: { method: 'poll' } }), '--quota', '500');
    await run('add', 'lee@alliance', '--staff', '--jwk', file('lee.jwk', newKey()));
    await sign();
    expect(await opened()).toMatchObject({
      sequence: 1,
      members: [{ name: 'upbit', keys: [first], dailyQuota: 500 }],
      staff: [{ name: 'lee@alliance' }],
    });
    await sign();
    expect((await opened()).sequence).toBe(2);
  });

  it('holds two keys of a member while it changes, and no third', async () => {
    await run('add', 'upbit', '--jwk', file('second.jwk', second));
    await expect(run('add', 'upbit', '--jwk', file('third.jwk', newKey()))).rejects.toThrow(/has 2 keys already/);
    await run('add', 'upbit', '--jwk', path('second.jwk'));
    await sign();
    expect((await opened()).members).toEqual([{ name: 'upbit', keys: [first, second], dailyQuota: 500 }]);
    const print = await keyThumbprint(first);
    await run('remove', 'upbit', '--key', print.slice(0, 12));
    await expect(run('remove', 'upbit', '--key', (await keyThumbprint(second)).slice(0, 12))).rejects.toThrow(
      /only key/,
    );
    await run('add', 'upbit', '--quota', '700');
    await sign();
    expect((await opened()).members).toEqual([{ name: 'upbit', keys: [second], dailyQuota: 700 }]);
  });

  it('is checked and shown by name and thumbprint', async () => {
    await verify();
    expect(said).toMatch(/Number 4, signed 20/);
    expect(said).toContain(`upbit            ${await keyThumbprint(second)}  700 a day`);
    expect(said).toMatch(/alliance’s key signed it/);
    await expect(verify(path('second.jwk'))).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('drops who is removed', async () => {
    await run('remove', 'upbit');
    await expect(run('remove', 'upbit')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await sign();
    expect(await opened()).toMatchObject({ sequence: 5, members: [], staff: [{ name: 'lee@alliance' }] });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a private key', () => run('add', 'korbit', '--jwk', path('alliance.jwk'))],
    ['a name without a key', () => run('add', 'korbit')],
    ['a name that is none', () => run('add', 'Kor bit', '--jwk', path('second.jwk'))],
    ['a file that is no key', () => run('add', 'korbit', '--jwk', file('text', 'hello'))],
    ['a public key to sign with', () => run('sign', '--key', path('alliance.public.jwk'), '--out', signed)],
  ])('refuses %s, and stays as it was', async (_what, change) => {
    const before = [readFileSync(list, 'utf8'), readFileSync(signed, 'utf8')];
    await expect(change()).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect([readFileSync(list, 'utf8'), readFileSync(signed, 'utf8')]).toEqual(before);
  });
});
