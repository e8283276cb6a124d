import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { SystemClock } from '@app/infrastructure/clock';
import type { Principal } from '@app/infrastructure/database';
import { markedForDevelopment } from '@app/protocol';
import { assertionOf, inSeconds, signedBy, type HubCaller } from '../../../test/support/http-client.js';
import { privateJwk, publicJwk } from '../../../test/support/parts.js';
import { PREVIOUS_KEY_MS } from './domain/key-proof.js';
import { createFakeIdentity } from './fake-identity.js';

const ISSUER = 'https://hub.example';
const STAFF: Principal = { kind: 'staff', name: 'operator' };
const UPBIT = { kind: 'member', memberId: 1, name: 'upbit' } as const;
const TYP = 'bongsu-key-proof+jwt';

const claims = (change: object = {}) => {
  const now = inSeconds();
  const jti = String(Math.random());
  return { iss: 'member:upbit', sub: 'member:upbit', aud: ISSUER, iat: now, exp: now + 300, jti, ...change };
};
const proofBy = (jwk: string, change: object = {}, header: object = {}) =>
  signedBy(jwk, { typ: TYP, ...header }, claims(change));

async function setUp(production = false) {
  const identity = createFakeIdentity(new SystemClock(), ISSUER, production);
  const old = privateJwk();
  const other = privateJwk();
  const person = privateJwk();
  const delivery = { method: 'poll' as const };
  await identity.members.add(STAFF, { name: 'upbit', jwk: publicJwk(old), delivery });
  await identity.members.add(STAFF, { name: 'bithumb', jwk: publicJwk(other), delivery });
  await identity.people.bootstrap([{ name: 'kim', roles: ['auditor'], jwk: publicJwk(person) }]);
  identity.auditRows.entries.length = 0;
  const rotate = (jwk: string, proof = proofBy(jwk)) =>
    identity.memberKeys.rotate(UPBIT, { jwk: publicJwk(jwk), proof });
  const keys = async () => (await identity.clients.find({ kind: 'member', name: 'upbit' }))!.keys;
  return { ...identity, old, other, person, rotate, keys };
}

describe('a member’s next key', () => {
  it.each([
    ['EC P-256', privateJwk],
    ['Ed25519', () => JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))],
  ])('of type %s signs in at once, and the one before for a week more', async (_type, make) => {
    const { rotate, keys, old, auditRows } = await setUp();
    const next = make();
    const before = Date.now();
    const { kid, previousValidUntil } = await rotate(next);
    expect(kid).toBe(await calculateJwkThumbprint(publicJwk(next)));
    expect(previousValidUntil.getTime() - before).toBeGreaterThanOrEqual(PREVIOUS_KEY_MS);
    expect(await keys()).toEqual([publicJwk(next), publicJwk(old)]);
    expect(auditRows.entries).toMatchObject([
      {
        actor: 'member:upbit',
        action: 'member.key_rotated',
        subject: 'member:upbit',
        before: { key: await calculateJwkThumbprint(publicJwk(old)), previousKey: null },
        after: { key: kid, previousKey: await calculateJwkThumbprint(publicJwk(old)) },
      },
    ]);
  });

  it('is refused while the one before the present is valid, and taken after', async () => {
    const { rotate, keys, memberRows, old } = await setUp();
    const [second, third] = [privateJwk(), privateJwk()];
    await rotate(second);
    await expect(rotate(third)).rejects.toMatchObject({ code: 'BAD_INPUT', where: 'jwk' });
    expect(await keys()).toEqual([publicJwk(second), publicJwk(old)]);
    memberRows.members[0]!.previousKey!.until = new Date(Date.now() - 1);
    await rotate(third);
    expect(await keys()).toEqual([publicJwk(third), publicJwk(second)]);
  });

  it('no longer lets the one before in, once its week is over', async () => {
    const { rotate, keys, memberRows, clients } = await setUp();
    const next = privateJwk();
    await rotate(next);
    memberRows.members[0]!.previousKey!.until = new Date(Date.now() - 1);
    clients.forget({ kind: 'member', name: 'upbit' });
    expect(await keys()).toEqual([publicJwk(next)]);
  });

  it('is refused where somebody has it, or had', async () => {
    const { rotate, old, other, person } = await setUp();
    for (const taken of [old, other, person])
      await expect(rotate(taken)).rejects.toMatchObject({ code: 'BAD_INPUT', where: 'jwk' });
    await rotate(privateJwk());
    await expect(rotate(old)).rejects.toMatchObject({ where: 'jwk' });
  });

  it.each<[string, (jwk: string) => string]>([
    ['by the old key', () => ''],
    ['of another type', (jwk) => proofBy(jwk, {}, { typ: 'JWT' })],
    ['that is an assertion', (jwk) => assertionOf({ clientId: 'member:upbit', jwk } as HubCaller, ISSUER)],
    ['of another member', (jwk) => proofBy(jwk, { iss: 'member:bithumb', sub: 'member:bithumb' })],
    ['for another audience', (jwk) => proofBy(jwk, { aud: 'https://other.example' })],
    ['that is over', (jwk) => proofBy(jwk, { iat: inSeconds() - 100, exp: inSeconds() - 1 })],
    ['that lives too long', (jwk) => proofBy(jwk, { exp: inSeconds() + 302 })],
    ['without time', (jwk) => proofBy(jwk, { iat: undefined })],
    ['without id', (jwk) => proofBy(jwk, { jti: undefined })],
    ['that is no JWS', () => 'x.y.z'],
    ['without end', () => 'a'.repeat(5000)],
  ])('is refused with a proof %s', async (what, make) => {
    const { rotate, old, keys, auditRows } = await setUp();
    const next = privateJwk();
    const proof = what === 'by the old key' ? proofBy(old) : make(next);
    await expect(rotate(next, proof)).rejects.toMatchObject({ code: 'BAD_INPUT', where: 'proof' });
    expect(await keys()).toEqual([publicJwk(old)]);
    expect(auditRows.entries).toEqual([]);
  });

  it('is refused with a proof that was used', async () => {
    const { rotate, memberKeys, keys } = await setUp();
    const next = privateJwk();
    const proof = proofBy(next);
    await rotate(next, proof);
    await memberKeys.replace(STAFF, { name: 'upbit', jwk: publicJwk(privateJwk()), reason: 'stolen' });
    await expect(rotate(next, proof)).rejects.toMatchObject({ where: 'proof' });
    expect(await keys()).toHaveLength(1);
  });

  it('is refused in production where it was made for development, whoever hands it in', async () => {
    const { memberKeys, keys, old } = await setUp(true);
    const next = privateJwk();
    const jwk = markedForDevelopment(publicJwk(next));
    const refused = { code: 'BAD_INPUT', where: 'jwk', message: expect.stringContaining('development') };
    await expect(memberKeys.rotate(UPBIT, { jwk, proof: proofBy(next) })).rejects.toMatchObject(refused);
    await expect(memberKeys.replace(STAFF, { name: 'upbit', jwk, reason: 'x' })).rejects.toMatchObject(refused);
    expect(await keys()).toEqual([publicJwk(old)]);
  });

  it('takes the place of all others at once where staff put it there', async () => {
    const { rotate, memberKeys, keys, auditRows } = await setUp();
    await rotate(privateJwk());
    const safe = publicJwk(privateJwk());
    await memberKeys.replace(STAFF, { name: 'upbit', jwk: safe, reason: 'the key was stolen' });
    expect(await keys()).toEqual([safe]);
    expect(auditRows.entries.at(-1)).toMatchObject({
      actor: 'staff:operator',
      action: 'member.key_replaced',
      after: { key: await calculateJwkThumbprint(safe), previousUntil: null },
      detail: { reason: 'the key was stolen' },
    });
    const unknown = memberKeys.replace(STAFF, { name: 'nobody', jwk: publicJwk(privateJwk()), reason: 'x' });
    await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
