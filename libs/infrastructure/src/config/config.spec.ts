import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEVELOPMENT_MARK, markedForDevelopment } from '@app/protocol';
import { ConfigReader } from './index.js';

describe('configuration from the environment', () => {
  const reader = (env: Record<string, string>) => new ConfigReader(env);
  const refused = (where: string, text: RegExp) =>
    expect.objectContaining({ code: 'CONFIG_INVALID', where, message: expect.stringMatching(text) });

  it('reads what is there, and falls back where nothing is', () => {
    const r = reader({ PORT: '8200', MODE: 'push', EMPTY: '' });
    expect([r.port('PORT', 1), r.port('NONE', 1), r.port('EMPTY', 2)]).toEqual([8200, 1, 2]);
    expect(r.oneOf('MODE', ['push', 'poll'], 'poll')).toBe('push');
    expect(r.text('EMPTY', 'fallback')).toBe('fallback');
  });

  it.each<[string, () => unknown, string, RegExp]>([
    ['a port beyond TCP’s', () => reader({ P: '70000' }).port('P', 1), 'P', /"70000".*whole number from 0 to 65535/],
    ['a number with letters', () => reader({ N: '12x' }).whole('N', 1, 0, 99), 'N', /"12x".*from 0 to 99/],
    ['a fraction', () => reader({ N: '1.5' }).whole('N', 1, 0, 99), 'N', /"1.5"/],
    [
      'a word that is not on the list',
      () => reader({ M: 'fax' }).oneOf('M', ['push'], 'push'),
      'M',
      /"fax".*one of push/,
    ],
    ['what is missing', () => reader({}).text('T'), 'T', /required/],
    [
      'a URL of another kind',
      () => reader({ U: 'ftp://x' }).url('U', ['http', 'https']),
      'U',
      /http:\/\/ or https:\/\//,
    ],
    ['a secret’s file that is not there', () => reader({ S_FILE: '/nowhere' }).secret('S'), 'S_FILE', /readable file/],
    ['a secret given twice', () => reader({ S: 'hush', S_FILE: '/x' }).secret('S'), 'S_FILE', /not both/],
  ])('refuses %s, with the name and what was expected', (_what, read, where, text) => {
    expect(read).toThrow(refused(where, text));
  });

  it('reads a secret from its file, and never shows one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bongsu-config-'));
    try {
      writeFileSync(join(folder, 's'), 'hush\n', { mode: 0o600 });
      expect(reader({ S_FILE: join(folder, 's') }).secret('S')).toBe('hush');
    } finally {
      rmSync(folder, { recursive: true });
    }
    for (const read of [
      () => reader({ S: 'hush', S_FILE: '/x' }).secret('S'),
      () => reader({ U: 'redis:hush@' }).url('U', ['http']),
    ])
      expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hush') }));
  });

  describe('from a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bongsu-config-'));
    const file = join(folder, 's');
    const production = { NODE_ENV: 'production', S_FILE: file };
    beforeAll(() => writeFileSync(file, 'hush\n'));
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each([0o600, 0o400, 0o640])('is read where not everybody can (mode %o)', (mode) => {
      chmodSync(file, mode);
      expect(reader(production).secret('S')).toBe('hush');
    });

    it.each([0o644, 0o602, 0o666])('is refused in production where everybody can, and warned of elsewhere', (mode) => {
      chmodSync(file, mode);
      expect(() => reader(production).secret('S')).toThrow(refused('S_FILE', /open to everybody .*chmod 600/));
      const warnings: string[] = [];
      expect(new ConfigReader({ S_FILE: file }, (text) => warnings.push(text)).secret('S')).toBe('hush');
      expect(warnings).toEqual([expect.stringMatching(/^S_FILE: .*open to everybody/)]);
    });

    it('is refused where it is empty', () => {
      chmodSync(file, 0o600);
      writeFileSync(file, '\n');
      expect(() => reader(production).secret('S')).toThrow(refused('S_FILE', /not empty/));
    });
  });

  it.each<[string, string]>([
    ['a key', JSON.stringify(markedForDevelopment({ kty: 'EC', d: 'hush' }))],
    [
      'a set of keys, one of them marked',
      JSON.stringify({ keys: [{ kty: 'EC' }, markedForDevelopment({ d: 'hush' })] }),
    ],
    ['a seed', `${DEVELOPMENT_MARK}:hush`],
    ['a URL’s password', `postgres://bongsu:${DEVELOPMENT_MARK}-hush@db/bongsu`],
  ])('made for development is refused in production: %s', (_what, text) => {
    expect(reader({ S: text }).secret('S')).toBe(text);
    const read = () => reader({ S: text, NODE_ENV: 'production' }).secret('S');
    expect(read).toThrow(refused('S', /made for development .* refused in production: make a real one/));
    expect(read).not.toThrow(/hush/);
  });

  it('lets private ranges be listed, and nothing of this machine or of the Internet', () => {
    expect(reader({ R: ' 10.1.0.0/16, fd00:1::/32 ' }).privateRanges('R')).toEqual(['10.1.0.0/16', 'fd00:1::/32']);
    expect(reader({}).privateRanges('R')).toEqual([]);
    for (const wrong of ['127.0.0.0/8', '0.0.0.0/0', '10.0.0.1', '10.0.0.0/8 fd00::/8'])
      expect(() => reader({ R: wrong }).privateRanges('R')).toThrow(refused('R', /CIDR ranges of private addresses/));
  });
});
