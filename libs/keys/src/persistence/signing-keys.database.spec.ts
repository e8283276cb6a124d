import { generateKeyPairSync } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { FakeClock } from '@app/infrastructure/clock';
import { TypeOrmDatabase, type Database, type DatabaseRole, type Principal } from '@app/infrastructure/database';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';
import { SigningKeys } from '../signing-keys.service.js';
import { OVERLAP_MS, PUBLISHED_BEFORE_MS } from '../domain/key-register.js';
import { SigningKeyAdapter } from './signing-key.adapter.js';
import { KEYS_ENTITIES } from './signing-key.entity.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const newKey = () =>
  JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }));

describe('signing keys on PostgreSQL', () => {
  let db: TestDatabase;
  const open: Database[] = [];

  const processWith = (role: DatabaseRole, signingKey: string, clock = new FakeClock(NOW)) => {
    const database = new TypeOrmDatabase({ url: db.url, role, poolSize: 2, entities: KEYS_ENTITIES });
    open.push(database);
    return new SigningKeys(database, clock, new SigningKeyAdapter(), { signingKey });
  };

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(async () => {
    for (const database of open) await database.close();
    await db?.close();
  });

  it('what one process signed, another verifies, before and after a change of keys', async () => {
    const [oldKey, nextKey] = [newKey(), newKey()];
    const worker = processWith('bongsu_worker', oldKey);
    const event = await worker.sign({ iss: 'https://hub.example' }, 'secevent+jwt');
    const hub = processWith('bongsu_hub', nextKey);
    const jwks = await hub.jwks();
    expect(jwks.keys.map((key) => key.kid).sort()).toEqual(
      [(await worker.current()).kid, (await hub.current()).kid].sort(),
    );
    const { protectedHeader } = await jwtVerify(event, createLocalJWKSet(jwks));
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: (await worker.current()).kid, typ: 'secevent+jwt' });
  });

  it('is exchanged without an outage: published, then signing everywhere, the old one taken until its time', async () => {
    const [first, second] = [newKey(), newKey()];
    const both = JSON.stringify({ keys: [JSON.parse(first), JSON.parse(second)] });
    const now = { at: NOW };
    const clock = new FakeClock(NOW);
    clock.now = () => now.at;
    const [hub, worker] = [processWith('bongsu_hub', both, clock), processWith('bongsu_worker', both, clock)];
    const database = open.at(-2)!;
    const old = (await hub.current()).kid;
    expect((await worker.current()).kid).toBe(old);
    const signed = await worker.sign({ iss: 'x' }, 'secevent+jwt');
    const { kid: next } = await processWith('bongsu_hub', second, clock).current();
    const published = async () => (await hub.jwks()).keys.map(({ kid }) => kid);
    expect(await published()).toEqual(expect.arrayContaining([old, next]));

    const retire = (kid: string, stolen = false, by: Principal = { kind: 'staff', name: 'kim' }) =>
      database.transaction(by, (tx) => hub.retire(tx, kid, stolen));
    await db.asOwner('UPDATE signing_keys SET created_at = $1', [new Date(NOW - PUBLISHED_BEFORE_MS)]);
    await retire(old);
    // As if the few seconds were over that a reading of the register is good for.
    const again = processWith('bongsu_worker', both, clock);
    expect((await hub.current()).kid).toBe(next);
    expect((await again.current()).kid).toBe(next);
    expect(await published()).toContain(old);
    await expect(jwtVerify(signed, createLocalJWKSet(await hub.jwks()))).resolves.toBeDefined();
    // A process that was not given the next key goes on as long as it can.
    expect((await processWith('bongsu_worker', first, clock).current()).kid).toBe(old);

    now.at = NOW + OVERLAP_MS;
    const later = processWith('bongsu_hub', both, clock);
    expect((await later.jwks()).keys.map(({ kid }) => kid)).not.toContain(old);
    await expect(processWith('bongsu_worker', first, clock).current()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await later.all()).find(({ kid }) => kid === old)).toMatchObject({ retiredAt: new Date(NOW + OVERLAP_MS) });
    await retire(next, true);
    expect((await processWith('bongsu_hub', newKey(), clock).jwks()).keys.map(({ kid }) => kid)).not.toContain(next);
  });

  it('is retired by staff alone', async () => {
    const hub = processWith('bongsu_hub', newKey());
    const { kid } = await hub.current();
    const row = () => db.asOwner('SELECT retired_at, stolen FROM signing_keys WHERE kid = $1', [kid]);
    for (const by of [
      { kind: 'gate', name: 'keys' },
      { kind: 'regulator', name: 'park' },
      { kind: 'member', memberId: 1, name: 'upbit' },
    ] as const)
      await open.at(-1)!.transaction(by, (tx) => hub.retire(tx, kid, true));
    expect(await row()).toEqual([{ retired_at: null, stolen: false }]);
    const change = open
      .at(-1)!
      .transaction({ kind: 'staff', name: 'kim' }, (tx) =>
        tx.query(`UPDATE signing_keys SET public_jwk = '{}' WHERE kid = $1`, [kid]),
      );
    await expect(change).rejects.toThrow(/permission denied/);
    await open.at(-1)!.transaction({ kind: 'staff', name: 'kim' }, (tx) => hub.retire(tx, kid, true));
    expect(await row()).toEqual([{ retired_at: new Date(NOW), stolen: true }]);
  });

  it('registers again after PostgreSQL was away', async () => {
    const database = new TypeOrmDatabase({ url: db.url, role: 'bongsu_hub', poolSize: 1, entities: KEYS_ENTITIES });
    open.push(database);
    let away = true;
    const flaky = Object.create(database) as Database;
    flaky.transaction = (principal, work) =>
      away ? Promise.reject(new Error('away')) : database.transaction(principal, work);
    const keys = new SigningKeys(flaky, new FakeClock(NOW), new SigningKeyAdapter(), { signingKey: newKey() });
    await expect(keys.jwks()).rejects.toThrow('away');
    away = false;
    expect((await keys.jwks()).keys.map((key) => key.kid)).toContain((await keys.current()).kid);
  });
});
