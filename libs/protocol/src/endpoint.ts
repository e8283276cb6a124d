import ipaddr from 'ipaddr.js';

/** Ranges of addresses that may be listed as reachable: inside these a private link can be, and nothing of this machine. */
const MAY_BE_PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];

/** Addresses that are routed in the Internet at all (RFC 4291, section 2.4; IANA's registry of IPv6 unicast). */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

/** What decides where may be sent to. */
export interface EndpointRules {
  /** True: https only, nothing on this machine. False: also http and https to a loopback that the URL itself names. */
  production: boolean;
  /** Private ranges that may be sent to, CIDR notation; see {@link isAllowablePrivateRange}. */
  allowPrivate: readonly string[];
}

/** Whether a text is a CIDR range that may be allowed: wholly within private, shared (RFC 6598) or unique-local space. */
export function isAllowablePrivateRange(text: string): boolean {
  if (!ipaddr.isValidCIDR(text)) return false;
  const [address, bits] = ipaddr.parseCIDR(text);
  return MAY_BE_PRIVATE.some((range) => {
    const [outer, outerBits] = ipaddr.parseCIDR(range);
    return address.kind() === outer.kind() && bits >= outerBits && address.match(outer, outerBits);
  });
}

/**
 * Whether an address may be connected to: routed in the Internet, or within an allowed range. Not: loopback, private,
 * shared, link-local, multicast, unspecified, broadcast, documentation, benchmarking, reserved, and every IPv6 form that
 * carries an IPv4 address or tunnels to one (mapped, compatible, NAT64, 6to4, Teredo).
 * @param address IPv4 in dotted decimals, or IPv6, without brackets
 */
export function isReachableAddress(address: string, allowPrivate: readonly string[]): boolean {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return false;
  if (address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  if (allowPrivate.some((range) => isWithin(parsed, range))) return true;
  if (parsed.kind() === 'ipv6' && !parsed.match(GLOBAL_IPV6)) return false;
  return parsed.range() === 'unicast';
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, range: string): boolean {
  const [base, bits] = ipaddr.parseCIDR(range);
  return address.kind() === base.kind() && address.match(base, bits);
}

/** Whether a URL's host is this machine by its own words; what a name resolves to is another question. */
export function namesLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

const LONGEST_URL = 2000;

/**
 * Checks where something is to be sent, as far as the URL alone tells; the address that its name leads to is checked
 * when it is connected to. Odd spellings of addresses (decimal, octal, hexadecimal, short) are what they mean.
 * @returns the URL, or in plain words what it needs: a sentence's end, to follow the name of the argument
 */
export function checkEndpoint(text: string, rules: EndpointRules): URL | string {
  const url = URL.canParse(text) && text.length <= LONGEST_URL ? new URL(text) : null;
  if (!url) return 'needs a URL.';
  if (url.username || url.password) return 'must not carry a user name or password: use authorization.';
  if (url.hash) return 'must not carry a fragment.';
  const loopback = namesLoopback(url);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback && !rules.production))
    return rules.production ? 'needs https.' : 'needs https, or http on the loopback (127.0.0.1, ::1, localhost).';
  if (loopback) return rules.production ? 'names the machine that it is sent from.' : url;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(host) && !isReachableAddress(host, rules.allowPrivate))
    return 'names a private or reserved address, which nothing is sent to.';
  return url;
}
