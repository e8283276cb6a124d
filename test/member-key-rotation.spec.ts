import { HubClient, MemberKey } from '@app/member-sdk';
import { SystemClock } from '@app/infrastructure/clock';
import { startHub, type RunningHub } from '../apps/hub/src/start-hub.js';
import { privateJwk, publicJwk } from './support/parts.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

describe('a member’s own software at a real hub', () => {
  let db: TestDatabase;
  let hub: RunningHub;
  const jwk = privateJwk();
  const keyOf = (text: string) => MemberKey.fromJwk(JSON.parse(text) as object);

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.asOwner(`INSERT INTO members (name, jwk, created_at) VALUES ('upbit', $1, now())`, [
      JSON.stringify(publicJwk(jwk)),
    ]);
    hub = await startHub(
      { host: '127.0.0.1', port: 0, issuer: undefined, production: false, people: undefined, pushAllowPrivate: [] },
      { databaseUrl: db.url, queue: { kind: 'postgres', url: db.url }, signingKey: privateJwk() },
      new SystemClock(),
    );
  });
  afterAll(async () => {
    await hub?.stop();
    await db?.close();
  });

  it('changes its key, and both sign in', async () => {
    const next = privateJwk();
    const clientWith = async (text: string) => new HubClient({ url: hub.url, member: 'upbit', key: await keyOf(text) });
    const [before, after] = [await clientWith(jwk), await clientWith(next)];
    try {
      await expect(after.lastSequence()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      const { kid, previousValidUntil } = await before.rotateKey(await keyOf(next));
      expect(kid).toMatch(/^[\w-]{43}$/);
      expect(Date.parse(previousValidUntil)).toBeGreaterThan(Date.now() + 6 * 86_400_000);
      expect(await before.lastSequence()).toBe(0);
      expect(await after.lastSequence()).toBe(0);
    } finally {
      await before.close();
      await after.close();
    }
  });
});
