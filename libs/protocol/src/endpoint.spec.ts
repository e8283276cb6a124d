import fc from 'fast-check';
import { checkEndpoint, isAllowablePrivateRange, isReachableAddress } from './endpoint.js';

describe('an address that is connected to', () => {
  it.each<[string, boolean]>([
    ['8.8.8.8', true],
    ['211.249.221.1', true],
    ['2001:4860:4860::8888', true],
    ['2400:cb00::1', true],
    ['127.0.0.1', false],
    ['127.255.255.254', false],
    ['10.0.0.1', false],
    ['172.16.0.1', false],
    ['172.31.255.255', false],
    ['172.32.0.1', true],
    ['192.168.1.1', false],
    ['169.254.169.254', false],
    ['100.64.0.1', false],
    ['100.128.0.1', true],
    ['0.0.0.0', false],
    ['0.1.2.3', false],
    ['224.0.0.1', false],
    ['240.0.0.1', false],
    ['255.255.255.255', false],
    ['192.0.0.1', false],
    ['192.0.2.1', false],
    ['192.88.99.1', false],
    ['198.18.0.1', false],
    ['198.51.100.1', false],
    ['203.0.113.1', false],
    ['::', false],
    ['::1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:8.8.8.8', false],
    ['::ffff:7f00:1', false],
    ['::127.0.0.1', false],
    ['::8.8.8.8', false],
    ['64:ff9b::7f00:1', false],
    ['64:ff9b::808:808', false],
    ['64:ff9b:1::7f00:1', false],
    ['::ffff:0:7f00:1', false],
    ['2002:7f00:1::', false],
    ['2002:a00:1::1', false],
    ['2001:0:7f00:1::', false],
    ['2001:db8::1', false],
    ['3fff::1', false],
    ['2001:2::1', false],
    ['2001:10::1', false],
    ['fe80::1', false],
    ['fe80::1%eth0', false],
    ['fec0::1', false],
    ['fc00::1', false],
    ['fd12:3456::1', false],
    ['ff02::1', false],
    ['100::1', false],
    ['5f00::1', false],
    ['4000::1', false],
    ['2130706433', false],
    ['0177.0.0.1', false],
    ['127.1', false],
    ['localhost', false],
    ['', false],
  ])('%s: %s', (address, fine) => {
    expect(isReachableAddress(address, [])).toBe(fine);
  });

  it('may lie in a private range that is allowed, and in no other', () => {
    const allowed = ['10.20.0.0/16', 'fd00:1::/32'];
    expect(isReachableAddress('10.20.255.1', allowed)).toBe(true);
    expect(isReachableAddress('fd00:1:2::3', allowed)).toBe(true);
    for (const other of ['10.21.0.1', 'fd00:2::1', '::ffff:10.20.0.1', '2002:a14:1::', '127.0.0.1', '169.254.169.254'])
      expect(isReachableAddress(other, allowed)).toBe(false);
  });
});

describe('a range that may be allowed', () => {
  it.each<[string, boolean]>([
    ['10.0.0.0/8', true],
    ['10.20.30.0/24', true],
    ['172.20.0.0/16', true],
    ['192.168.7.7/32', true],
    ['100.64.0.0/10', true],
    ['fd12::/16', true],
    ['0.0.0.0/0', false],
    ['10.0.0.0/7', false],
    ['127.0.0.0/8', false],
    ['127.0.0.1/32', false],
    ['169.254.0.0/16', false],
    ['169.254.169.254/32', false],
    ['8.8.8.0/24', false],
    ['::/0', false],
    ['::1/128', false],
    ['::ffff:10.0.0.0/104', false],
    ['fe80::/10', false],
    ['10.0.0.1', false],
    ['ten', false],
  ])('%s: %s', (range, fine) => {
    expect(isAllowablePrivateRange(range)).toBe(fine);
  });
});

describe('an endpoint', () => {
  const [production, development] = [true, false].map((production) => ({ production, allowPrivate: [] }));

  it.each([
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[64:ff9b::a00:1]/',
    'https://[fe80::1]/',
    'https://10.1.2.3/',
    'https://0/',
    'https://３.example@10.0.0.1/',
    'https://①⓪.0.0.1/',
    'https://localhost/',
    'https://LOCALHOST/',
  ])('%s is refused in production, whatever its spelling', (text) => {
    expect(typeof checkEndpoint(text, production!)).toBe('string');
  });

  it.each(['http://10.0.0.1/', 'https://10.0.0.1/', 'https://169.254.169.254/', 'https://[::ffff:127.0.0.1]/'])(
    '%s is refused in development too',
    (text) => {
      expect(typeof checkEndpoint(text, development!)).toBe('string');
    },
  );

  it('may be any name: where that leads is seen when it is connected to', () => {
    expect(checkEndpoint('https://localhost.evil.example/x', production!)).toMatchObject({ pathname: '/x' });
  });

  it('never passes with a literal address of the private ranges, in any spelling', () => {
    const spellings = [
      (n: number) => String(n),
      (n: number) => `0x${n.toString(16)}`,
      (n: number) => `0${n.toString(8)}`,
      (n: number) => [24, 16, 8, 0].map((shift) => `0${((n >>> shift) & 255).toString(8)}`).join('.'),
      (n: number) => `${n >>> 24}.${n & 0xffffff}`,
      (n: number) => `[::ffff:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}]`,
    ];
    const inPrivate = fc.oneof(
      fc.integer({ min: 0x0a000000, max: 0x0affffff }),
      fc.integer({ min: 0x7f000000, max: 0x7fffffff }),
      fc.integer({ min: 0xa9fe0000, max: 0xa9feffff }),
      fc.integer({ min: 0xc0a80000, max: 0xc0a8ffff }),
    );
    fc.assert(
      fc.property(inPrivate, fc.constantFrom(...spellings), (n, spell) => {
        expect(typeof checkEndpoint(`https://${spell(n)}/`, production!)).toBe('string');
      }),
    );
  });
});
