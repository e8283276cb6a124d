import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { plainText, recordable } from './recordable.js';

const TOKEN = createHash('sha256').update('a key').digest();
const JWT = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZW1iZXI6dXBiaXQifQ.c2lnbmF0dXJl';

describe('what the audit keeps', () => {
  it.each<[string, unknown, unknown]>([
    ['plain values as they are', { a: 1, b: [true, null, 'x'] }, { a: 1, b: [true, null, 'x'] }],
    ['dates as text', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['a JWT nowhere', { reason: `it was ${JWT}!`, url: JWT }, { reason: 'it was [redacted]!', url: '[redacted]' }],
    ['an authorization header nowhere', { reason: 'sent Bearer s3cret-x' }, { reason: 'sent Bearer [redacted]' }],
    ['no private part of a JWK', { jwk: { kty: 'EC', d: 'abc' } }, { jwk: { kty: 'EC', d: '[redacted]' } }],
    ['no password', { password: 'x' }, { password: '[redacted]' }],
    [
      'a token in free text in its short form (hex)',
      { reason: `key ${TOKEN.toString('hex')} is ours` },
      { reason: `key ${TOKEN.toString('hex').slice(0, 16)}… is ours` },
    ],
    [
      'a token in free text in its short form (base64url)',
      { note: TOKEN.toString('base64url') },
      { note: `${TOKEN.toString('base64url').slice(0, 11)}…` },
    ],
    [
      'the thumbprint of a key where we wrote it',
      { key: TOKEN.toString('base64url') },
      { key: TOKEN.toString('base64url') },
    ],
    ['no control character', { reason: 'a\u0000b\nc' }, { reason: 'a b c' }],
  ])('is %s', (_what, given, kept) => {
    expect(recordable(given)).toEqual(kept);
  });

  it('is bounded, whatever is given, and is JSON that a jsonb column holds', () => {
    fc.assert(
      fc.property(fc.anything({ maxDepth: 8 }), (value) => {
        const kept = recordable(value);
        const text = JSON.stringify(kept);
        expect(JSON.parse(text)).toEqual(kept);
        // eslint-disable-next-line no-control-regex -- what must not be there
        expect(text).not.toMatch(/\\u0000|[\u0000-\u001f]/);
      }),
    );
    expect(plainText('x'.repeat(1e6), true)).toHaveLength(500);
    expect(recordable(Array.from({ length: 1000 }, () => 1))).toHaveLength(50);
  });
});
