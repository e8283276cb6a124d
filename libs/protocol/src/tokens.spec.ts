import fc from 'fast-check';
import { canonicalIp, decodeToken, encodeToken, ipPrefix, shortToken, tokenInput } from './tokens.js';
import { TOKEN_KINDS } from './vocabulary.js';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const text = (input: Uint8Array) => Buffer.from(input).toString('utf8');

describe('tokens as text', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(bytes32, (token) => {
        const written = encodeToken(token);
        expect(written).toMatch(/^[A-Za-z0-9_-]{43}$/);
        expect(new Uint8Array(decodeToken(written))).toEqual(token);
        expect(shortToken(token)).toBe(Buffer.from(token).toString('hex').slice(0, 16));
      }),
    );
  });

  it('have one form only: anything else is refused', () => {
    const good = encodeToken(new Uint8Array(32).fill(255));
    const padded = `${good}=`;
    // The last character carries two bits that no byte uses: they must be zero.
    const loose = `${good.slice(0, -1)}9`;
    for (const bad of ['', 'x', good.slice(1), `${good}A`, padded, loose, good.replace(/_/g, '/'), ` ${good}`])
      expect(() => decodeToken(bad)).toThrow(expect.objectContaining({ code: 'TOKEN_MALFORMED' }));
  });

  it('encodes a view into a larger buffer as the view alone', () => {
    const buffer = new Uint8Array(96).map((_, i) => i);
    expect(encodeToken(buffer.subarray(32, 64))).toBe(encodeToken(buffer.slice(32, 64)));
  });
});

describe('canonical addresses', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7', '192.0.2.0/24'],
    [' 192.0.2.7 ', '192.0.2.7', '192.0.2.0/24'],
    ['::ffff:192.0.2.7', '192.0.2.7', '192.0.2.0/24'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', '2001:db8::/48'],
    ['2001:0db8:1234:5678::', '2001:db8:1234:5678::', '2001:db8:1234::/48'],
  ])('%s', (given, canonical, prefix) => {
    expect(canonicalIp(given)).toBe(canonical);
    expect(ipPrefix(given)).toBe(prefix);
  });

  it.each(['', '192.0.2', '192.0.2.256', '0x7f.1', '010.0.0.1', '192.0.2.1:443', 'fe80::1%eth0', 'host', '1'])(
    'refuses %j',
    (given) => {
      expect(() => canonicalIp(given)).toThrow(expect.objectContaining({ code: 'BAD_INPUT', where: 'ip' }));
    },
  );

  it('stay as they are once canonical, and lie in their own prefix', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) => {
        const canonical = canonicalIp(ip);
        expect(canonicalIp(canonical)).toBe(canonical);
        expect(ipPrefix(ipPrefix(ip).replace(/\/\d+$/, ''))).toBe(ipPrefix(ip));
      }),
    );
  });
});

describe('what is blinded for a value', () => {
  it('starts with its kind, and for keys with the member', () => {
    expect(text(tokenInput('key', ' AK-1 ', 'upbit'))).toBe('bongsu/v1/key\0upbit\0AK-1');
    expect(text(tokenInput('ip', '::ffff:192.0.2.7', 'upbit'))).toBe('bongsu/v1/ip\u0000192.0.2.7');
    expect(text(tokenInput('prefix', '192.0.2.7/24', 'upbit'))).toBe('bongsu/v1/prefix\u0000192.0.2.0/24');
    expect(text(tokenInput('owner', 'C I\t1', 'upbit'))).toBe('bongsu/v1/owner\0CI1');
    expect(text(tokenInput('client', 'cafe\u0301', 'upbit'))).toBe('bongsu/v1/client\0caf\u00e9');
  });

  it('differs between kinds, and for keys between members, but not for other kinds', () => {
    const inputs = TOKEN_KINDS.map((kind) => text(tokenInput(kind, '192.0.2.7', 'upbit')));
    expect(new Set(inputs).size).toBe(TOKEN_KINDS.length);
    const other = TOKEN_KINDS.map((kind) => text(tokenInput(kind, '192.0.2.7', 'bithumb')));
    expect(TOKEN_KINDS.filter((_, i) => inputs[i] !== other[i])).toEqual(['key']);
  });

  it.each<[string, () => unknown]>([
    ['an empty value', () => tokenInput('key', '  ', 'upbit')],
    ['a value with NUL', () => tokenInput('client', 'a\0b', 'upbit')],
    ['an overlong value', () => tokenInput('client', 'a'.repeat(1025), 'upbit')],
    ['a member name that could forge the layout', () => tokenInput('key', 'a', 'up\0bit')],
    ['an unknown kind', () => tokenInput('person' as never, 'a', 'upbit')],
  ])('refuses %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });
});
