import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeBlinder } from '@app/member-sdk';
import { parse, stringify } from 'yaml';
import { init } from '../commands/init.js';
import { readAgentConfig, readKeyFile } from './agent-config.js';

const KEY = Buffer.alloc(32, 1).toString('base64url');

describe('the configuration', () => {
  let dir: string;
  let file: string;
  const good = () => ({
    member: 'upbit',
    hub: { url: 'https://hub.example' },
    blinders: [{ url: 'https://blinder.example', publicKeys: { 1: KEY, 2: KEY } }],
    keyFile: 'key.json',
    stateDir: 'state',
    legalBasis: 'contract_terms',
    inputs: [{ usage: 'usage.jsonl' }, { gateway: '/var/log/a.json', preset: 'nginx' }],
  });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'config-'));
    file = join(dir, 'agent.yaml');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('is read with safe defaults, paths from the file, the newest epoch', async () => {
    await writeFile(file, stringify(good()));
    expect(await readAgentConfig(file)).toMatchObject({
      member: 'upbit',
      epoch: 2,
      stateDir: join(dir, 'state'),
      receive: 'poll',
      network: 'field',
      acting: { mode: 'dry-run', expire: 'hold', capPerHour: 20, hook: null },
      inputs: [
        { kind: 'usage', path: join(dir, 'usage.jsonl') },
        { kind: 'gateway', path: '/var/log/a.json' },
      ],
    });
  });

  it.each([
    ['member', { member: 'Up Bit' }],
    ['hub', { hub: undefined }],
    ['hub.url', { hub: { url: 'ftp://hub' } }],
    ['blinders', { blinders: [] }],
    ['blinders[0].publicKeys.1', { blinders: [{ url: 'https://b', publicKeys: { 1: 'short' } }] }],
    ['legalBasis', { legalBasis: 'because' }],
    ['act', { act: 'yes' }],
    ['network', { network: 'guess' }],
    ['hook', { act: 'live' }],
    ['hook.url', { act: 'live', hook: { timeoutSeconds: 3 } }],
    ['listen', { receive: 'push', pushAuthorization: 'Bearer x' }],
    ['listen', { listen: 'everywhere' }],
    ['pushAuthorization', { receive: 'push', listen: '127.0.0.1:8300' }],
    ['capPerHour', { capPerHour: -1 }],
    ['spoolMegabytes', { spoolMegabytes: 'much' }],
    ['inputs[0].usage', { inputs: [{ file: 'x' }] }],
    ['inputs[0].preset', { inputs: [{ gateway: 'x', preset: 'apache' }] }],
    ['inputs[0].fields.time', { inputs: [{ gateway: 'x', fields: { ip: 'ip', accessKey: 'k' } }] }],
    ['inputs[0].orders', { inputs: [{ gateway: 'x', preset: 'nginx', orders: ['everything'] }] }],
    ['inputs[0].fields.tiem', { inputs: [{ gateway: 'x', preset: 'nginx', fields: { tiem: 't' } }] }],
    ['stateDirectory', { stateDirectory: 'x' }],
  ])('names %s when it does not fit', async (where, change) => {
    await writeFile(file, stringify({ ...good(), ...change }));
    await expect(readAgentConfig(file)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      where,
      message: expect.stringContaining(where) as unknown,
    });
  });

  it('refuses a private key that others can read', async () => {
    const path = join(dir, 'key.json');
    await writeFile(path, '{}', { mode: 0o644 });
    await expect(readKeyFile(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/chmod 600/) as unknown,
    });
  });

  it('is written by init with comments, keys for this user only, and what the alliance needs', async () => {
    const blinder = await FakeBlinder.start();
    const printed: string[] = [];
    const log = console.log;
    console.log = (text: string) => void printed.push(text);
    try {
      const options = {
        config: file, member: 'upbit', hub: 'http://127.0.0.1:1', blinder: [blinder.url], usage: [join(dir, 'usage.jsonl')],
        gateway: ['/var/log/nginx/api.json'], receive: 'push', listen: '127.0.0.1:8301', publicUrl: 'https://agent.example/events',
        hookCommand: '/opt/hook --now', act: 'live',
      }; // prettier-ignore
      await init(options);
      await expect(init(options)).rejects.toMatchObject({ where: '--force' });
      await init({ ...options, force: true });
    } finally {
      console.log = log;
      await blinder.stop();
    }
    const [first, second] = printed.map(
      (text) => JSON.parse(text) as { name: string; jwk: Record<string, unknown>; delivery: Record<string, unknown> },
    );
    expect(first).toMatchObject({
      name: 'upbit', jwk: { kty: 'EC', crv: 'P-256' }, delivery: { method: 'push', url: 'https://agent.example/events' },
    }); // prettier-ignore
    expect(first!.jwk['d']).toBeUndefined();
    expect(second!.jwk).toEqual(first!.jwk);
    for (const name of ['keys/private.jwk.json', 'keys/push-authorization', 'join.json'])
      expect((await stat(join(dir, name))).mode & 0o077).toBe(0);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^# An expire waits for a person/m);
    expect(parse(text)).toMatchObject({
      inputs: [{ usage: 'usage.jsonl' }, { gateway: '/var/log/nginx/api.json', preset: 'nginx' }],
    });
    const config = await readAgentConfig(file);
    expect(config.network).toBe('asn');
    expect(config.acting.hook).toMatchObject({ command: ['/bin/sh', '-c', '/opt/hook --now'], idempotent: false });
    expect(config.pushAuthorization).toBe(second!.delivery['authorization']);
    expect(Buffer.from(config.blinders[0]!.publicKeys.get(1)!).toString('base64url')).toBe(
      Buffer.from(blinder.publicKey).toString('base64url'),
    );
  });
});
