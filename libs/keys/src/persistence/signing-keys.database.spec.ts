import { generateKeyPairSync } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { FakeClock } from '@app/infrastructure/clock';
import { TypeOrmDatabase, type Database, type DatabaseRole } from '@app/infrastructure/database';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';
import { SigningKeys } from '../signing-keys.service.js';
import { SigningKeyAdapter } from './signing-key.adapter.js';
import { KEYS_ENTITIES } from './signing-key.entity.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const newKey = () =>
  JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }));

describe('signing keys on PostgreSQL', () => {
  let db: TestDatabase;
  const open: Database[] = [];

  const processWith = (role: DatabaseRole, signingKey: string, now = NOW) => {
    const database = new TypeOrmDatabase({ url: db.url, role, poolSize: 2, entities: KEYS_ENTITIES });
    open.push(database);
    return new SigningKeys(database, new FakeClock(now), new SigningKeyAdapter(), { signingKey });
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
    expect(jwks.keys.map((key) => key.kid).sort()).toEqual([worker.current().kid, hub.current().kid].sort());
    const { protectedHeader } = await jwtVerify(event, createLocalJWKSet(jwks));
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: worker.current().kid, typ: 'secevent+jwt' });
  });

  it('a retired key no longer verifies, from its time on', async () => {
    const retired = processWith('bongsu_worker', newKey());
    await retired.register();
    await db.asOwner(`UPDATE signing_keys SET retired_at = $1 WHERE kid = $2`, [new Date(NOW), retired.current().kid]);
    const kids = async (now: number) =>
      (await processWith('bongsu_hub', newKey(), now).jwks()).keys.map((key) => key.kid);
    expect(await kids(NOW - 1)).toContain(retired.current().kid);
    expect(await kids(NOW)).not.toContain(retired.current().kid);
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
    expect((await keys.jwks()).keys.map((key) => key.kid)).toContain(keys.current().kid);
  });
});
