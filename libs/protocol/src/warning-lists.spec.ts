import fc from 'fast-check';
import { canonicalEntries, checkListName, parseCidr } from './warning-lists.js';

describe('a warning list', () => {
  it.each([
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.7', '203.0.113.7/32'],
    [' 2001:DB8:0:0::/48 ', '2001:db8::/48'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
  ])('reads %s as %s', (text, canonical) => expect(parseCidr(text).text).toBe(canonical));

  it.each(['', 'x', '203.0.113.7/24', '203.0.113.0/33', '2001:db8::1/64', '::ffff:203.0.113.0/24', '::/129', '1.2.3/8', '010.1.1.1', 'fe80::1%eth0', '1.2.3.4/', '1.2.3.4/-1'])(
    'takes %j for no network, and does not repeat it',
    (text) => {
      let message = '';
      try {
        parseCidr(text);
      } catch (error) {
        ({ message } = error as Error);
      }
      expect(message).not.toBe('');
      if (text.length > 1) expect(message).not.toContain(text);
    },
  ); // prettier-ignore

  it('has its entries sorted, each once, none within another', () => {
    const entries = ['8.8.8.0/24', '2a00:1450::/32', '1.1.1.1', '8.8.8.8', '8.8.8.0/24', '8.8.0.0/20', '2a00:1450:1::/48'];
    expect(canonicalEntries(entries, false)).toEqual(['1.1.1.1/32', '8.8.0.0/20', '2a00:1450::/32']);
  }); // prettier-ignore

  it.each([
    ['10.1.0.0/16', true],
    ['192.168.0.1', true],
    ['100.64.0.0/10', true],
    ['203.0.113.9', true],
    ['239.1.1.1', true],
    ['172.0.0.0/8', true],
    ['fd00::/16', true],
    ['2001:db8:1::/48', true],
    ['2.0.0.0/7', false],
    ['2000::/3', false],
    ['0.0.0.0/0', false],
  ])('does not hold %s (unless private ranges are allowed: %s)', (entry, allowable) => {
    expect(() => canonicalEntries(['1.1.1.1', entry], false)).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', where: 'entries[1]' }) as Error,
    );
    if (allowable) expect(canonicalEntries([entry], true)).toHaveLength(1);
    else expect(() => canonicalEntries([entry], true)).toThrow(/covers too much/);
  });

  it('has between one entry and 100,000', () => {
    expect(() => canonicalEntries([], false)).toThrow(/1 to 100000/);
    expect(() => canonicalEntries(new Array<string>(100_001).fill('1.1.1.1'), false)).toThrow(/1 to 100000/);
  });

  it('is canonical once and for all, whatever the order', () => {
    const v4 = fc.tuple(fc.nat(0xffffffff), fc.integer({ min: 8, max: 32 })).map(([n, bits]) => {
      const network = bits === 32 ? n : Number((BigInt(n) >> BigInt(32 - bits)) << BigInt(32 - bits));
      return `${[24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join('.')}/${bits}`;
    });
    fc.assert(
      fc.property(fc.array(v4, { minLength: 1, maxLength: 40 }), (entries) => {
        const once = canonicalEntries(entries, true);
        expect(canonicalEntries([...once].reverse(), true)).toEqual(once);
        const ranges = once.map(parseCidr);
        // Disjoint, and together they cover what was given.
        for (let i = 1; i < ranges.length; i++) expect(ranges[i]!.first > ranges[i - 1]!.last).toBe(true);
        for (const given of entries.map(parseCidr))
          expect(ranges.some((r) => r.first <= given.first && given.last <= r.last)).toBe(true);
      }),
    );
  });

  it.each(['tor', 'vpn list', '목록', 'x'.repeat(64)])('may be called %s', (name) =>
    expect(checkListName(name)).toBe(name),
  );
  it.each(['', 'x'.repeat(65), ' tor', 'tor\n', 'a\tb', 'a\u0000'])('may not be called %j', (name) =>
    expect(() => checkListName(name)).toThrow(expect.objectContaining({ code: 'LIST_NAME_INVALID' }) as Error),
  );
});
