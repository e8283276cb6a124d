import fc from 'fast-check';
import { NETWORKS, parseCidr } from '@app/member-sdk';
import { AddressRanges } from './address-ranges.js';
import { AS_CLASSES } from './as-classes.js';
import { AsTable, asTableInfo } from './as-table.js';
import { classOfName, networkClass } from './network-class.js';

const table = AsTable.load();
const classOf = (ip: string) => {
  const found = table.find(ip);
  return found === null ? 'unknown' : networkClass(ip, found);
};

describe('the table of who announces which addresses', () => {
  it('says of when it is', () => {
    const { version, date } = asTableInfo();
    expect(version.split('.')[2]).toContain(new Date(date).toISOString().slice(0, 10).replaceAll('-', ''));
  });

  it.each([
    ['8.8.8.8', 15169, 'Google'],
    ['1.1.1.1', 13335, 'Cloudflare, Inc.'],
    ['::ffff:8.8.8.8', 15169, 'Google'],
    ['175.223.255.255', 4766, 'Korea Telecom'],
    ['2606:4700:4700::1111', 13335, 'Cloudflare'],
    ['2001:2d8::1', 9644, 'SK Telecom'],
  ])('knows %s', (ip, asn, organisation) => {
    expect(table.find(ip)).toEqual({ asn, organisation: expect.stringContaining(organisation) as unknown });
  });

  it.each(['10.0.0.1', '127.0.0.1', '203.0.113.7', '0.0.0.0', '255.255.255.255', '::1', 'fe80::1', '2001:db8::1'])(
    'knows nobody for %s',
    (ip) => expect(table.find(ip)).toBeNull(),
  );

  it('refuses what is no address', () => expect(() => table.find('example.org')).toThrow(/not an IPv4 or IPv6/));
});

describe('network classes', () => {
  it.each(AS_CLASSES.flatMap((c) => c.asns.map((asn) => [asn, c.organisation] as const)))(
    'of AS%i are those of %s',
    (asn, organisation) => {
      expect(table.organisations.get(asn)?.toLowerCase()).toContain(organisation.toLowerCase());
    },
  );

  it('have one entry for a system, and only mobile ranges that it announces', () => {
    const asns = AS_CLASSES.flatMap((c) => c.asns);
    expect(new Set(asns).size).toBe(asns.length);
    for (const { asns: own, mobile = [] } of AS_CLASSES)
      for (const range of mobile.map(parseCidr).filter((r) => r.family === 4)) {
        const step = Number((range.last - range.first + 1n) / 64n);
        const announcers = Array.from({ length: 64 }, (_, i) => {
          const n = Number(range.first) + i * step;
          return table.find([24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.'))?.asn;
        });
        // LG U+ announces a part of its mobile ranges from LGTELECOM, which is mobile anyway.
        expect(announcers.some((asn) => own.includes(asn!) || asn === 17853)).toBe(true);
      }
  });

  it.each([
    ['223.38.1.1', 'mobile', 'SK Telecom'],
    ['39.7.28.1', 'mobile', 'KT phones'],
    ['175.223.10.1', 'mobile', 'KT phones'],
    ['2001:e60:8000::1', 'mobile', 'KT phones'],
    ['106.101.2.3', 'mobile', 'LG U+ phones'],
    ['211.234.1.1', 'mobile', 'LG U+ phones announced by DACOM'],
    ['59.10.1.1', 'residential', 'KT homes'],
    ['211.246.200.1', 'residential', 'a cable operator beside KT’s range'],
    ['1.225.1.1', 'residential', 'SK Broadband'],
    ['3.34.1.1', 'hosting', 'Amazon in Seoul'],
    ['110.165.16.1', 'hosting', 'NAVER Cloud'],
    ['5.9.1.1', 'hosting', 'Hetzner'],
    ['104.28.1.1', 'vpn', 'a relay'],
    ['193.138.218.1', 'vpn', 'Mullvad’s host'],
    ['141.223.1.1', 'unknown', 'a university'],
    ['203.0.113.7', 'unknown', 'nobody'],
  ])('of %s: %s (%s)', (ip, network) => {
    expect(classOf(ip)).toBe(network);
  });

  it.each([
    ['A2 Hosting, Inc.', 'hosting'],
    ['UK Dedicated Servers Limited', 'hosting'],
    ['eStruxture Data Centers Inc.', 'hosting'],
    ['DREAM VPS LTD', 'hosting'],
    ['PT Cloud Hosting Indonesia', 'hosting'],
    ['Broadband Hosting B.V.', 'unknown'],
    ['CHINANET SiChuan Telecom Internet Data Center', 'unknown'],
    ['Data Center of Vietnam National University', 'unknown'],
    ['MAYBANK Data Center (Co-Location)', 'unknown'],
    ['Cloud Innovation Ltd', 'unknown'],
    ['Ghost Communications', 'unknown'],
    ['VPSOR', 'unknown'],
    ['', 'unknown'],
  ])('by the name %s: %s', (name, network) => expect(classOfName(name)).toBe(network));

  it('are words of the protocol, whatever the address', () => {
    fc.assert(fc.property(fc.ipV4(), (ip) => NETWORKS.includes(classOf(ip))));
    fc.assert(fc.property(fc.ipV6(), (ip) => NETWORKS.includes(classOf(ip))));
  });
});

describe('ranges of addresses', () => {
  it('find what a search through all of them finds', () => {
    const edge = fc.nat(300);
    fc.assert(
      fc.property(fc.uniqueArray(edge, { maxLength: 40 }), edge, fc.constantFrom(4 as const, 6 as const), (ends, at, family) => {
        const base = family === 4 ? 0xfffffe00n : (1n << 64n) - 100n;
        const sorted = [...ends].sort((a, b) => a - b);
        const ranges = [];
        for (let i = 0; i + 1 < sorted.length; i += 2)
          ranges.push({ family, first: base + BigInt(sorted[i]!), last: base + BigInt(sorted[i + 1]!) });
        const value = base + BigInt(at);
        const hex = value.toString(16).padStart(32, '0');
        const ip =
          family === 4
            ? [24n, 16n, 8n, 0n].map((s) => (value >> s) & 255n).join('.')
            : hex.match(/.{4}/g)!.join(':');
        expect(AddressRanges.of(ranges).find(ip)).toBe(ranges.findIndex((r) => r.first <= value && value <= r.last));
      }),
    );
  }); // prettier-ignore
});
