import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { HubClient } from './hub-client.js';
import { MemberKey, type KeyRing } from './member-key.js';
import { FakeHub } from './testing/fake-hub.js';

async function newKey(alg: 'ES256' | 'EdDSA' = 'ES256'): Promise<MemberKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, crv: alg === 'EdDSA' ? 'Ed25519' : 'P-256' });
  return MemberKey.fromJwk(await exportJWK(privateKey));
}

const ring = (...keys: MemberKey[]): KeyRing => ({ keys: () => Promise.resolve(keys) });

describe('a session with the hub', () => {
  let hub: FakeHub;
  const clients: HubClient[] = [];
  /** This machine's time. */
  const here = { at: Date.parse('2026-06-01T00:00:00Z'), now: () => here.at };
  /** How far the hub's clock is ahead, ms. */
  let ahead = 0;

  const open = (key: KeyRing, more: { url?: string; issuer?: string } = {}): HubClient => {
    const client = new HubClient({ url: hub.url, member: 'upbit', key, now: here.now, timeoutMs: 1000, ...more });
    clients.push(client);
    return client;
  };
  const register = (...keys: MemberKey[]) => (hub.oauth.registered = keys.map((key) => key.publicJwk as JWK));

  beforeEach(async () => {
    hub = await FakeHub.start();
    ahead = 0;
    hub.oauth.now = () => here.at + ahead;
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await hub.stop();
  });

  it.each(['ES256', 'EdDSA'] as const)('binds its GraphQL token to an %s key and proves every request', async (alg) => {
    const key = await newKey(alg);
    register(key);
    const client = open(key);
    await client.lastSequence();
    await client.lastSequence();
    expect(hub.oauth.scopes).toEqual(['graphql']);
    expect(client.keyInUse).toBe(key.thumbprint);
  });

  it('brings another token, a plain one for events alone, to the shared-signals endpoints', async () => {
    const client = open(await newKey());
    await client.poll([]);
    expect(hub.oauth.scopes).toEqual(['ssf.read ssf.manage']);
    await client.lastSequence();
    await client.poll([]);
    expect(hub.oauth.scopes).toEqual(['ssf.read ssf.manage', 'graphql']);
  });

  it('proves its requests to the name that the hub goes by, whatever its address', async () => {
    const client = open(await newKey(), { url: `${hub.url}/`, issuer: hub.url });
    expect(await client.lastSequence()).toBe(0);
    await expect(open(await newKey(), { issuer: 'https://other.example' }).lastSequence()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('uses one token until shortly before its end, whichever way the clock goes', async () => {
    const client = open(await newKey());
    await Promise.all([client.lastSequence(), client.lastSequence()]);
    expect(hub.tokensGiven).toBe(1);
    here.at += 560_000;
    await client.lastSequence();
    expect(hub.tokensGiven).toBe(1);
    here.at += 20_000;
    await client.lastSequence();
    expect(hub.tokensGiven).toBe(2);
    here.at -= 3_600_000;
    await client.lastSequence();
    expect(hub.tokensGiven).toBe(3);
  });

  it('gets a new token once where the hub refuses the old one', async () => {
    const client = open(await newKey());
    await client.lastSequence();
    await client.poll([]);
    hub.expireTokens();
    expect(await client.lastSequence()).toBe(0);
    expect(await client.poll([])).toMatchObject({ sets: {} });
    expect(hub.tokensGiven).toBe(4);
  });

  it('says who is refused, and what to do', async () => {
    register(await newKey());
    await expect(open(await newKey()).lastSequence()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      recoverable: false,
      message: expect.stringMatching(/member:upbit.*invalid_client.*registered this public key.*\(request .+\)/),
    });
  });

  it.each([90_000, -90_000, 290_000, -290_000])(
    "signs by the hub's time where its own is %i ms off",
    async (offset) => {
      const key = await newKey();
      register(key);
      ahead = offset;
      const client = open(key);
      expect(await client.lastSequence()).toBe(0);
      expect(Math.abs(client.clockOffsetMs! - offset)).toBeLessThanOrEqual(2_000);
      ahead = 0;
      expect(await client.lastSequence()).toBe(0);
    },
  );

  it.each([
    [3_600_000, /360. s behind/],
    [-3_600_000, /(3600|3599) s ahead/],
  ])('names the clock where that is %i ms off, and signs nothing for such a time', async (offset, words) => {
    const key = await newKey();
    register(key);
    ahead = offset;
    await expect(open(key).lastSequence()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringMatching(words),
    });
  });

  it('takes the newest key that the hub knows', async () => {
    const [older, newer] = [await newKey(), await newKey()];
    register(older);
    const client = open(ring(newer, older));
    await client.lastSequence();
    expect(client.keyInUse).toBe(older.name);
    register(newer, older);
    hub.expireTokens();
    await client.lastSequence();
    expect(client.keyInUse).toBe(newer.name);
  });

  it('hands a new key in with a proof that it has its private half', async () => {
    const [older, newer] = [await newKey(), await newKey('EdDSA')];
    register(older);
    expect(await open(older).rotateKey(newer)).toMatchObject({ kid: newer.thumbprint });
    expect(await open(newer).lastSequence()).toBe(0);
    expect(hub.oauth.registered?.some((jwk) => 'd' in jwk)).toBe(false);
  });
});
