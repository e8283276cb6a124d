import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeToken, type TokenKind } from '@app/member-sdk';
import { DiskTokenCache } from './disk-token-cache.js';
import { RefusedLines } from './refused-lines.js';
import { shortenTokens } from './shorten-tokens.js';

describe('what the agent writes on and on', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'state-files-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('keeps the tokens of this epoch and the one before, and of older ones the keys alone', async () => {
    const path = join(dir, 'tokens.jsonl');
    const token = (epoch: number, kind: TokenKind) => new Uint8Array(32).fill(epoch * 10 + kind.length);
    let cache = await DiskTokenCache.open(path, 4);
    for (const epoch of [1, 2, 3, 4])
      await cache.put(
        (['key', 'prefix'] as const).map((kind) => ({
          kind,
          value: `${kind} ${epoch}`,
          epoch,
          token: token(epoch, kind),
        })),
      );
    await cache.close();
    expect(await shortenTokens(path, 2)).toBe(0);
    expect(await shortenTokens(path, 4)).toBe(2);
    expect(await shortenTokens(path, 4)).toBe(0);
    cache = await DiskTokenCache.open(path, 4);
    expect(cache.get('prefix', 'prefix 4', 4)).toEqual(token(4, 'prefix'));
    for (const epoch of [1, 2, 3, 4]) expect(cache.accessKeyOf(encodeToken(token(epoch, 'key')))).toBe(`key ${epoch}`);
    await cache.close();
    cache = await DiskTokenCache.open(path, 3);
    expect(cache.get('prefix', 'prefix 3', 3)).toEqual(token(3, 'prefix'));
    await cache.close();
    expect(await shortenTokens(join(dir, 'none.jsonl'), 9)).toBe(0);
  });

  it('begins a new file of refused lines when one is full, wherever it is ended on the way', async () => {
    const refusals = (line: number) => [{ line, reason: 'NOT_JSON' as const }];
    const held = async (name: string) =>
      (await readFile(join(dir, name), 'utf8')).trim().split('\n').map((text) => (JSON.parse(text) as { line: number }).line); // prettier-ignore
    let refused = await RefusedLines.open(dir, 0, 100);
    refused.add('log', refusals(1), 0);
    refused.add('log', refusals(2), 0);
    const bytes = await refused.write();
    expect(refused.full).toBe(true);
    await refused.beginNew();
    // Ended before the state says so.
    refused = await RefusedLines.open(dir, bytes, 100);
    expect(refused.full).toBe(false);
    refused.add('log', refusals(3), 0);
    await refused.write();
    expect(await held('refused.1.jsonl')).toEqual([1, 2]);
    expect(await held('refused.jsonl')).toEqual([3]);
  });
});
