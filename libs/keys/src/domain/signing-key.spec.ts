import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { readSigningKey, readSigningKeys, thumbprint } from './signing-key.js';

const asText = (key: KeyObject) => JSON.stringify(key.export({ format: 'jwk' }));

describe('the configured signing key', () => {
  it('is known by the thumbprint of its public part', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = readSigningKey(asText(privateKey));
    const publicPart = publicKey.export({ format: 'jwk' });
    expect(key).toMatchObject({ alg: 'ES256', kid: await calculateJwkThumbprint({ ...publicPart }) });
    expect(key.jwk).toEqual({ ...publicPart, kid: key.kid, alg: 'ES256', use: 'sig' });
  });

  it('has the thumbprint of RFC 7638, section 3.1', () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj' +
      'hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ' +
      'vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK' +
      'nqDKgw';
    expect(thumbprint({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' })).toBe(
      'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    );
  });

  it('may be RSA of 2048 bits or more', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(readSigningKey(asText(privateKey)).alg).toBe('RS256');
  });

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  it.each<[string, string]>([
    ['no JSON', 'secret-text'],
    ['no object', '[]'],
    ['a public key', asText(ec.publicKey)],
    ['another curve', asText(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)],
    ['another kind', asText(generateKeyPairSync('ed25519').privateKey)],
    ['a short RSA key', asText(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)],
    ['a private part that is no text', JSON.stringify({ ...ec.privateKey.export({ format: 'jwk' }), d: 5 })],
    ['a point off the curve', JSON.stringify({ ...ec.privateKey.export({ format: 'jwk' }), x: 'A'.repeat(43) })],
  ])('is refused without being repeated: %s', (_name, text) => {
    expect(() => readSigningKey(text)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', where: 'HUB_SIGNING_KEY' }),
    );
    expect(() => readSigningKey(text)).not.toThrow(/secret-text/);
  });

  it('is refused when its two parts are of different keys', () => {
    const { d } = other.privateKey.export({ format: 'jwk' });
    const mixed = JSON.stringify({ ...ec.privateKey.export({ format: 'jwk' }), d });
    expect(() => readSigningKey(mixed)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('several configured signing keys', () => {
  const keys = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const jwks = (...jwk: unknown[]) => JSON.stringify({ keys: jwk });
  const jwk = (n: number) => keys[n]!.export({ format: 'jwk' });

  it('are read in their order; one alone needs no set', () => {
    const kids = readSigningKeys(jwks(jwk(0), jwk(1))).map(({ kid }) => kid);
    expect(kids).toEqual([thumbprint(jwk(0)), thumbprint(jwk(1))]);
    expect(readSigningKeys(asText(keys[0]!)).map(({ kid }) => kid)).toEqual([kids[0]]);
  });

  it.each<[string, string]>([
    ['none', jwks()],
    ['no list', JSON.stringify({ keys: 'secret-text' })],
    ['more than anybody needs', jwks(...Array<unknown>(6).fill(jwk(0)))],
    ['the same twice', jwks(jwk(0), jwk(0))],
    ['a public one among them', jwks(jwk(0), { ...jwk(1), d: undefined })],
  ])('are refused without being repeated: %s', (_name, text) => {
    expect(() => readSigningKeys(text)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', where: 'HUB_SIGNING_KEY' }),
    );
    expect(() => readSigningKeys(text)).not.toThrow(/secret-text/);
  });
});
