import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeHub } from '@app/member-sdk';
import { OPERATIONS } from '@app/protocol';
import { HubApi } from './hub-api.js';

describe("a person at the hub's door", () => {
  let hub: FakeHub;
  let api: HubApi;
  const folder = mkdtempSync(join(tmpdir(), 'hub-api-'));
  const keyFile = join(folder, 'person.jwk');
  writeFileSync(
    keyFile,
    JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })),
  );
  const busy = (retryAfter: string) => ({
    status: 429,
    headers: { 'retry-after': retryAfter },
    body: { code: 'RATE_LIMITED', message: 'Too many requests.' },
  });
  /** The operation that the fake fails as it is told to. */
  const ask = () => api.query(OPERATIONS.submitSignals, { input: {} });

  beforeEach(async () => {
    hub = await FakeHub.start();
    api = await HubApi.open(hub.url, 'staff:operator', keyFile);
  });
  afterEach(async () => {
    await api.close();
    await hub.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('signs in with a key of its own and proves it', async () => {
    expect(await api.query(OPERATIONS.lastSequence)).toEqual({ lastSequence: 0 });
    expect(hub.oauth.scopes).toEqual(['graphql']);
  });

  it('waits as told where there were too many requests', async () => {
    hub.failures = [busy('0'), busy('0'), { status: 200, body: { data: { submitSignals: 'done' } } }];
    expect(await ask()).toEqual({ submitSignals: 'done' });
  });

  it('tells a wait that is too long for a command', async () => {
    hub.failures = [busy('3600')];
    await expect(ask()).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringMatching(/Too many.*request/),
    });
  });
});
