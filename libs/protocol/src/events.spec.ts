import { generateKeyPairSync } from 'node:crypto';
import { exportJWK, importJWK, SignJWT, type CryptoKey, type JWK } from 'jose';
import { RECOMMENDATION_EVENT, signSet, verifySet, type SetClaims } from './events.js';

const ISSUER = 'https://hub.example';
const AUDIENCE = 'member:upbit';
const CLAIMS: SetClaims = {
  iss: ISSUER,
  aud: AUDIENCE,
  jti: 'one',
  iat: 1_780_000_000,
  txn: 'two',
  sub_id: { format: 'opaque', id: 'a key' },
  events: { [RECOMMENDATION_EVENT]: { rung: 'warn' } },
};

async function newKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = (await importJWK(privateKey.export({ format: 'jwk' }) as JWK, 'ES256')) as CryptoKey;
  return { key, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } };
}

describe('security event tokens', () => {
  let key: CryptoKey;
  let jwks: { keys: JWK[] };
  beforeAll(async () => {
    const made = await newKey('k1');
    key = made.key;
    jwks = { keys: [made.jwk] };
  });

  const signed = (change: object, header: object = {}) =>
    new SignJWT({ ...CLAIMS, ...change })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'secevent+jwt', ...header })
      .sign(key);
  const refusedAs = (jws: string, err: string) =>
    expect(verifySet(jws, jwks, ISSUER, AUDIENCE)).rejects.toMatchObject({ code: 'BAD_INPUT', where: err });

  it('come back as they were signed', async () => {
    const jws = await signSet(CLAIMS, key, 'k1', 'ES256');
    expect(await verifySet(jws, jwks, ISSUER, AUDIENCE)).toEqual(CLAIMS);
  });

  it('are told apart from other tokens of the same hub by their type', async () => {
    await refusedAs(await signed({}, { typ: 'at+jwt' }), 'invalid_request');
    await refusedAs(await signed({}, { typ: undefined }), 'invalid_request');
  });

  it.each<[string, object, string]>([
    ['another issuer', { iss: 'https://other.example' }, 'invalid_issuer'],
    ['another audience', { aud: 'member:bithumb' }, 'invalid_audience'],
    ['no jti', { jti: undefined }, 'invalid_request'],
    ['no iat', { iat: undefined }, 'invalid_request'],
    ['no event', { events: {} }, 'invalid_request'],
    ['two events', { events: { a: {}, b: {} } }, 'invalid_request'],
    ['no subject', { sub_id: undefined }, 'invalid_request'],
    ['a subject of another form', { sub_id: { format: 'email', email: 'a@b.c' } }, 'invalid_request'],
  ])('are refused with %s', async (_what, change, err) => {
    await refusedAs(await signed(change), err);
  });

  it('are refused by another key, an unpublished one, or none', async () => {
    const other = await newKey('k1');
    await refusedAs(await signSet(CLAIMS, other.key, 'k1', 'ES256'), 'authentication_failed');
    await refusedAs(await signSet(CLAIMS, key, 'k2', 'ES256'), 'invalid_key');
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    await refusedAs(`${part({ alg: 'none', typ: 'secevent+jwt' })}.${part(CLAIMS)}.`, 'invalid_request');
    await refusedAs('not a token', 'invalid_request');
  });
});
