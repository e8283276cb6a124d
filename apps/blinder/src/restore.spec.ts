import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blind, finalize } from '@app/blinding';
import { encodeBytes } from './elements.js';
import { InlineEvaluator } from './evaluator.js';
import { parseSeed } from './seed.js';
import { startBlinder } from './start-blinder.js';
import { ask, NOON, openTestBlinder, scratch, TestCaller } from './testing.js';

const upbit = new TestCaller('upbit');
const VALUES = ['203.0.113.9', '198.51.100.7'].map((value) => Buffer.from(value));
const bytes = (text: string) => Buffer.from(text, 'base64url');

const seedIn = (file: string) => parseSeed(readFileSync(file, 'utf8'), 'BLINDER_KEY_FILE');

/** The tokens that a member makes of two values with a blinder's help. */
async function tokensFrom(url: string, publicKey: Uint8Array): Promise<string[]> {
  const { state, blinded } = blind(VALUES);
  const { status, body } = await ask(`${url}/v1/evaluate`, await upbit.token(NOON), {
    epoch: 1,
    elements: blinded.map(encodeBytes),
  });
  expect(status).toBe(200);
  return finalize(state, body.elements.map(bytes), bytes(body.proof), publicKey).map(encodeBytes);
}

describe('a blinder restored from copies of its key and its state folder', () => {
  it('makes the same tokens, and knows what was used of the day', async () => {
    const keyFile = join(scratch(), 'blinder.key');
    writeFileSync(keyFile, `${'5a'.repeat(32)}\n`, { mode: 0o600 });
    const first = await openTestBlinder([upbit.entry()], { seed: seedIn(keyFile), dailyQuota: 7 });
    const publicKey = bytes((await ask(`${first.url}/v1/epochs`, undefined)).body.epochs[0]!.publicKey);
    const tokens = await tokensFrom(first.url, publicKey);
    const spent = await upbit.token(NOON);
    const { blinded } = blind(VALUES);
    const body = { epoch: 1, elements: blinded.map(encodeBytes) };
    expect((await ask(`${first.url}/v1/evaluate`, spent, body)).status).toBe(200);

    // The copy is made while it runs; the machine is then lost.
    const there = scratch();
    copyFileSync(keyFile, join(there, 'blinder.key'));
    cpSync(first.config.stateDir, join(there, 'state'), { recursive: true });
    await first.close();
    const second = await startBlinder(
      { ...first.config, stateDir: join(there, 'state') },
      { seed: seedIn(join(there, 'blinder.key')) },
      {
        clock: first.clock,
        wallTime: first.clock,
        log: first.log,
        evaluatorFor: (secretKey) => new InlineEvaluator(secretKey),
      },
    );
    try {
      // Four of the day's seven elements are used: two more fit, then two do not.
      expect(await tokensFrom(second.url, publicKey)).toEqual(tokens);
      const refused = await ask(`${second.url}/v1/evaluate`, await upbit.token(NOON), body);
      expect(refused).toMatchObject({ status: 429, body: { code: 'QUOTA_EXCEEDED' } });
      // A token that was spent before stays spent.
      expect((await ask(`${second.url}/v1/evaluate`, spent, body)).status).toBe(401);
    } finally {
      await second.close();
    }
  });
});
