import { decodeColumns, encodeColumns, toColumns } from '@app/protocol';
import { exportJWK, generateKeyPair } from 'jose';
import { EventVerifier } from './event-verifier.js';
import { HubClient, type CompactBatch } from './hub-client.js';
import { MemberKey } from './member-key.js';
import { FakeHub } from './testing/fake-hub.js';

describe('hub client', () => {
  let hub: FakeHub;
  let client: HubClient;
  const clock = { at: Date.parse('2026-06-01T00:00:00Z'), now: () => clock.at };
  const batch = (sequence: number): CompactBatch => ({
    batchId: `00000000-0000-4000-8000-00000000000${sequence}`,
    sequence,
    epoch: 1,
    purpose: 'key_lending_detection',
    legalBasis: 'contract_terms',
    compact: encodeColumns(toColumns({ observations: [], allowEntries: [], keyFacts: [] })),
  });

  beforeEach(async () => {
    hub = await FakeHub.start();
    const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const key = await MemberKey.fromJwk(await exportJWK(privateKey));
    client = new HubClient({ url: hub.url, member: 'upbit', key, clock, timeoutMs: 500 });
  });
  afterEach(async () => {
    await client.close();
    await hub.stop();
  });

  it('sends a batch and reads the receipt', async () => {
    const receipt = await client.submitSignals(batch(1));
    expect(receipt).toMatchObject({ batchId: batch(1).batchId, sequence: 1, state: 'STORED', rejections: [] });
    expect(await client.lastSequence()).toBe(1);
    expect(decodeColumns(batch(1).compact).keys).toEqual([]);
  });

  it('uses one token until shortly before its end by the clock, whichever way the clock goes', async () => {
    await Promise.all([client.lastSequence(), client.lastSequence()]);
    expect(hub.tokensGiven).toBe(1);
    clock.at += 560_000;
    await client.lastSequence();
    expect(hub.tokensGiven).toBe(1);
    clock.at += 20_000;
    await client.lastSequence();
    expect(hub.tokensGiven).toBe(2);
    clock.at -= 3_600_000;
    await client.lastSequence();
    expect(hub.tokensGiven).toBe(3);
  });

  it('gets a new token once where the hub refuses the old one', async () => {
    await client.lastSequence();
    hub.expireTokens();
    expect(await client.lastSequence()).toBe(0);
    expect(hub.tokensGiven).toBe(2);
  });

  it('tells failures that pass from those that do not, and passes Retry-After on', async () => {
    hub.failures = [
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 500 },
      { status: 503 },
      { status: 200, body: { data: null, errors: [{ message: 'no', extensions: { code: 'EPOCH_CLOSED' } }] } },
      'hang up',
    ];
    const submit = () => client.submitSignals(batch(1));
    await expect(submit()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', recoverable: true, retryAfterMs: 7000 });
    await expect(submit()).rejects.toMatchObject({ code: 'INTERNAL', recoverable: true });
    await expect(submit()).rejects.toMatchObject({ code: 'UNAVAILABLE', recoverable: true });
    await expect(submit()).rejects.toMatchObject({ code: 'EPOCH_CLOSED', recoverable: false });
    await expect(submit()).rejects.toMatchObject({ code: 'UNREACHABLE', recoverable: true });
  });

  it('polls and acknowledges', async () => {
    hub.events.set('j1', 'set');
    expect((await client.poll([])).sets).toEqual({ j1: 'set' });
    expect((await client.poll(['j1'])).sets).toEqual({});
    expect(hub.acknowledged).toEqual(['j1']);
  });

  describe('its events', () => {
    const token = new Uint8Array(32).fill(1);
    const verifier = () => new EventVerifier(() => client.jwks(), client.issuer, 'member:upbit');

    it('are verified', async () => {
      const set = await hub.recommend('upbit', token, 'r1');
      expect(await verifier().verify(set)).toMatchObject({ jti: 'jti-r1', txn: 'r1' });
    });

    it.each([
      ['invalid_audience', async () => hub.recommend('bithumb', token, 'r1')],
      ['invalid_issuer', async () => hub.recommend('upbit', token, 'r1', { issuer: 'https://other' })],
      ['invalid_key', async () => hub.recommend('upbit', token, 'r1', { kid: 'unknown' })],
      [
        'authentication_failed',
        async () => hub.recommend('upbit', token, 'r1', { key: (await generateKeyPair('ES256')).privateKey }),
      ],
      ['invalid_request', async () => 'not a token'],
    ])('are refused with %s', async (where, make) => {
      await expect(verifier().verify(await make())).rejects.toMatchObject({ code: 'BAD_INPUT', where });
    });
  });
});
