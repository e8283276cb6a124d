import { decodeColumns, encodeColumns, toColumns } from '@app/protocol';
import { exportJWK, generateKeyPair } from 'jose';
import { EventVerifier } from './event-verifier.js';
import { HubClient } from './hub-client.js';
import type { CompactBatch } from './hub-types.js';
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
    hub.oauth.now = clock.now;
    const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const key = await MemberKey.fromJwk(await exportJWK(privateKey));
    client = new HubClient({ url: hub.url, member: 'upbit', key, now: clock.now, timeoutMs: 500 });
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

  it('tells failures that pass from those that do not, and passes Retry-After on', async () => {
    hub.failures = [
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 500 },
      { status: 503 },
      { status: 200, body: { data: null, errors: [{ message: 'no', extensions: { code: 'EPOCH_CLOSED' } }] } },
      'hang up',
    ];
    const submit = () => client.submitSignals(batch(1));
    await expect(submit()).rejects.toMatchObject({ code: 'RATE_LIMITED', recoverable: true, retryAfterMs: 7000 });
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

  describe('its documents', () => {
    const asked = () =>
      hub.requests.filter((r) => !r.asked.startsWith('/')).map(({ asked, text }) => ({ asked, text }));

    it('go by their ids', async () => {
      await client.submitSignals(batch(1));
      expect(asked()).toEqual([{ asked: 'submitSignals', text: false }]);
    });

    it.each(['others', 'none'] as const)(
      'go as text to a hub that knows %s of them, and from then on',
      async (known) => {
        hub.documents = known;
        expect(await client.lastSequence()).toBe(0);
        await client.submitSignals(batch(1));
        await client.submitSignals(batch(2));
        expect(asked()).toEqual([
          { asked: 'unknown document', text: false },
          { asked: 'lastSequence', text: true },
          { asked: 'unknown document', text: false },
          { asked: 'submitSignals', text: true },
          { asked: 'submitSignals', text: true },
        ]);
      },
    );

    it('stay known to a client whose variables were refused', async () => {
      const refusal = { status: 400, body: { errors: [{ message: 'no', extensions: { code: 'BAD_INPUT' } }] } };
      hub.failures = [refusal, refusal];
      await expect(client.submitSignals(batch(1))).rejects.toMatchObject({ code: 'BAD_INPUT' });
      await client.submitSignals(batch(1));
      expect(asked().map((a) => a.text)).toEqual([false, true, false]);
    });
  });

  it("carries a batch's id through, a new id with anything else, and names it in a failure", async () => {
    hub.failures = [{ status: 503 }];
    const failure = client.submitSignals(batch(1));
    await expect(failure).rejects.toMatchObject({
      requestId: batch(1).batchId,
      message: expect.stringContaining(batch(1).batchId),
    });
    hub.expireTokens();
    await client.submitSignals(batch(1));
    const ids = (asked: string) => hub.requests.filter((r) => r.asked === asked).map((r) => r.id);
    expect(new Set(ids('submitSignals'))).toEqual(new Set([batch(1).batchId]));
    await client.lastSequence();
    await client.lastSequence();
    expect(new Set([...ids('lastSequence'), batch(1).batchId, ...ids('/oauth/token')]).size).toBe(5);
    hub.away = true;
    await expect(client.submitSignals(batch(2))).rejects.toMatchObject({ requestId: batch(2).batchId });
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
