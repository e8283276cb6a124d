import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { BongsuError } from '@app/protocol';
import { assertionAlgorithm, checkPublicJwk, sameKey } from './public-jwk.js';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const ecJwk = ec.publicKey.export({ format: 'jwk' });
const edJwk = ed.publicKey.export({ format: 'jwk' });

describe('a public key that is handed in', () => {
  it('is reduced to the key itself', () => {
    expect(checkPublicJwk({ ...ecJwk, kid: 'mine', alg: 'none', use: 'sig', x5u: 'http://evil' }, 'jwk')).toEqual(
      ecJwk,
    );
    expect(checkPublicJwk({ ...edJwk, key_ops: ['verify'] }, 'jwk')).toEqual(edJwk);
  });

  it('decides the one algorithm that it verifies', () => {
    expect(assertionAlgorithm(checkPublicJwk(ecJwk, 'jwk'))).toBe('ES256');
    expect(assertionAlgorithm(checkPublicJwk(edJwk, 'jwk'))).toBe('EdDSA');
  });

  it.each<[string, object]>([
    ['EC', ec.privateKey.export({ format: 'jwk' })],
    ['Ed25519', ed.privateKey.export({ format: 'jwk' })],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })],
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0' }],
  ])('is refused in plain words when it is private, and not repeated: %s', (_name, jwk) => {
    const check = () => checkPublicJwk(jwk, 'jwk');
    expect(check).toThrow(expect.objectContaining({ code: 'BAD_INPUT', where: 'jwk' }));
    expect(check).toThrow(/holds a private key/);
    const { d, k } = jwk as { d?: string; k?: string };
    expect(check).not.toThrow(new RegExp((d ?? k)!));
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text', JSON.stringify(ecJwk)],
    ['a list', [ecJwk]],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })],
    ['X25519', generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })],
    ['a point off the curve', { ...ecJwk, y: ecJwk.x }],
    ['a point without y', { kty: 'EC', crv: 'P-256', x: ecJwk.x }],
    ['a short x', { ...ecJwk, x: 'AAAA' }],
    ['padding', { ...ecJwk, x: `${ecJwk.x}=` }],
  ])('is refused when it is no key of the two kinds: %s', (_name, jwk) => {
    expect(() => checkPublicJwk(jwk, 'jwk')).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });

  it('never fails in another way, whatever comes', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.record({
        kty: fc.constantFrom('EC', 'OKP'),
        crv: fc.constantFrom('P-256', 'Ed25519'),
        x: fc.anything(),
        y: fc.string(),
      }),
    );
    fc.assert(
      fc.property(anything, (value) => {
        try {
          checkPublicJwk(value, 'jwk');
        } catch (error) {
          expect(error).toBeInstanceOf(BongsuError);
        }
      }),
    );
  });

  it('equals itself only', () => {
    const [a, b] = [checkPublicJwk(ecJwk, 'jwk'), checkPublicJwk(edJwk, 'jwk')];
    expect(sameKey(a, { ...a })).toBe(true);
    expect(sameKey(a, b)).toBe(false);
  });
});
