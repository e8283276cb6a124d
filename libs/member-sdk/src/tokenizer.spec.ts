import { evaluateDirectly, deriveKeyPair } from '@app/blinding';
import { tokenInput } from '@app/protocol';
import { generateKeyPair, exportJWK } from 'jose';
import { BlinderClient } from './blinder-client.js';
import { MemberKey } from './member-key.js';
import { FakeBlinder } from './testing/fake-blinder.js';
import { MemoryTokenCache } from './token-cache.js';
import { Tokenizer } from './tokenizer.js';

describe('tokenizer', () => {
  let blinder: FakeBlinder;
  let key: MemberKey;
  const cache = () => new MemoryTokenCache();
  const client = (b: FakeBlinder, publicKey = b.publicKey) =>
    new BlinderClient({ url: b.url, publicKeys: new Map([[1, publicKey]]), member: 'upbit', key });
  const tokenizer = (memory: MemoryTokenCache, ...blinders: BlinderClient[]) =>
    new Tokenizer({ member: 'upbit', epoch: 1, blinders, cache: memory, chunk: 3 });

  beforeAll(async () => {
    key = await MemberKey.fromJwk(await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey));
  });
  beforeEach(async () => {
    blinder = await FakeBlinder.start();
  });
  afterEach(() => blinder.stop());

  it("makes the evaluator's own output from a value, without showing the value", async () => {
    const t = tokenizer(cache(), client(blinder));
    expect(t.lookup('ip', '203.0.113.9')).toBeUndefined();
    expect(await t.tokenize([{ kind: 'ip', value: '203.0.113.9' }])).toBe(1);
    const { secretKey } = deriveKeyPair(new Uint8Array(32).fill(7), new Uint8Array());
    const direct = evaluateDirectly(secretKey, tokenInput('ip', '203.0.113.9', 'upbit')).slice(0, 32);
    expect(t.lookup('ip', '203.0.113.9')).toEqual(direct);
  });

  it('gives every spelling of a value the same token object, and asks once', async () => {
    const t = tokenizer(cache(), client(blinder));
    await t.tokenize([
      { kind: 'ip', value: '203.0.113.9' },
      { kind: 'ip', value: '::ffff:203.0.113.9' },
    ]);
    expect(blinder.evaluated).toBe(1);
    expect(t.lookup('ip', '::ffff:203.0.113.9')).toBe(t.lookup('ip', '203.0.113.9'));
    expect(t.lookup('ip', ' 203.0.113.9')).toBe(t.lookup('ip', '203.0.113.9'));
    expect(t.lookup('prefix', '203.0.113.9')).toBeUndefined();
  });

  it('goes on with what is known while the blinder is away, and makes no token of what is new', async () => {
    const memory = cache();
    const t = tokenizer(memory, client(blinder));
    await t.tokenize([{ kind: 'key', value: 'A' }]);
    blinder.away = true;
    await expect(t.tokenize([{ kind: 'key', value: 'B' }])).rejects.toMatchObject({
      code: 'UNREACHABLE',
      recoverable: true,
    });
    expect(t.lookup('key', 'A')).toBeDefined();
    expect(t.lookup('key', 'B')).toBeUndefined();
    expect(tokenizer(memory, client(blinder)).lookup('key', 'A')).toEqual(t.lookup('key', 'A'));
  });

  it('keeps the chunks that were answered before a failure', async () => {
    const t = tokenizer(cache(), client(blinder));
    const values = ['A', 'B', 'C', 'D'].map((value) => ({ kind: 'key' as const, value }));
    const lookups = () => values.filter((v) => t.lookup('key', v.value) !== undefined).length;
    const whole = t.tokenize(values);
    const cut = setInterval(() => {
      if (blinder.evaluated === 3) blinder.away = true;
    }, 0);
    await whole.catch(() => {});
    clearInterval(cut);
    expect([3, 4]).toContain(lookups());
  });

  it('refuses an answer made with another key than the pinned one', async () => {
    blinder.lies = true;
    const t = tokenizer(cache(), client(blinder));
    await expect(t.tokenize([{ kind: 'key', value: 'A' }])).rejects.toMatchObject({
      code: 'BAD_PROOF',
      recoverable: false,
    });
    expect(t.lookup('key', 'A')).toBeUndefined();
  });

  it('tells a published key from the pinned one', async () => {
    await expect(client(blinder).requireEpoch(1)).resolves.toBeUndefined();
    const other = client(blinder, new Uint8Array(32).fill(3));
    await expect(other.requireEpoch(1)).rejects.toMatchObject({ code: 'EPOCH_MISMATCH' });
    await expect(client(blinder).requireEpoch(2)).rejects.toMatchObject({ code: 'EPOCH_MISMATCH' });
  });

  it('asks two blinders one after the other: the order does not matter, one alone gives another token', async () => {
    const second = await FakeBlinder.start(9);
    const value = { kind: 'owner' as const, value: 'CI' };
    const tokens: (Uint8Array | undefined)[] = [];
    for (const chain of [[blinder, second], [second, blinder], [blinder]]) {
      const t = tokenizer(cache(), ...chain.map((b) => client(b)));
      await t.tokenize([value]);
      tokens.push(t.lookup('owner', 'CI'));
    }
    expect(tokens[0]).toEqual(tokens[1]);
    expect(tokens[0]).not.toEqual(tokens[2]);
    await second.stop();
  });

  describe('a blinder that knows the member by an older key', () => {
    let newer: MemberKey;
    let calls: BlinderClient;
    const ask = () => calls.tryOut(1);

    beforeEach(async () => {
      newer = await MemberKey.fromJwk(
        await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey),
      );
      const ring = { keys: () => Promise.resolve([newer, key]) };
      calls = new BlinderClient({
        url: blinder.url,
        publicKeys: new Map([[1, blinder.publicKey]]),
        member: 'upbit',
        key: ring,
      });
      blinder.callers = [key.publicJwk];
    });
    afterEach(() => calls.close());

    it('is asked with that one, which is remembered', async () => {
      await ask();
      await ask();
      expect(calls.keyInUse).toBe(key.name);
      expect(blinder.refused).toBe(1);
    });

    it('is asked with the new one as soon as it refuses the old one', async () => {
      await ask();
      blinder.callers = [newer.publicJwk];
      await ask();
      expect(calls.keyInUse).toBe(newer.name);
      await ask();
      expect(blinder.refused).toBe(2);
    });

    it('says so where it knows none', async () => {
      blinder.callers = [];
      await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', recoverable: false });
      expect(calls.keyInUse).toBeNull();
    });
  });

  it("signs by the blinder's time where its own is off", async () => {
    blinder.callers = [key.publicJwk];
    blinder.now = () => Date.now() + 200_000;
    await expect(client(blinder).tryOut(1)).resolves.toBeUndefined();
    blinder.now = () => Date.now() - 3_600_000;
    await expect(client(blinder).tryOut(1)).rejects.toMatchObject({
      message: expect.stringMatching(/(3600|3599) s ahead/),
    });
  });

  it('refuses what cannot be a value of its kind', () => {
    const t = tokenizer(cache(), client(blinder));
    expect(() => t.lookup('ip', 'unix:')).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });
});
