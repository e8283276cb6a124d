import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
      writeFileSync(join(folder, 's'), 'hush\n');
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
});
