import ipaddr from 'ipaddr.js';
import { BongsuError } from './errors.js';
import { addressBytes } from './tokens.js';

/**
 * Warning lists: addresses that many unrelated people share (public VPNs, proxies, Tor exits), named by the alliance so
 * that each member can say of an address which lists it is on without showing the address.
 */

/** Most lists in force at a time, and most that one batch can name. */
export const MAX_WARNING_LISTS = 32;
/** Most entries of one list. */
export const MAX_LIST_ENTRIES = 100_000;
/** Longest name of a list, characters. */
export const MAX_LIST_NAME = 64;

/** An inclusive range of addresses of one family, as unsigned numbers of 32 or 128 bits. */
export interface AddressRange {
  family: 4 | 6;
  first: bigint;
  last: bigint;
}

/** A range that is one CIDR, with its canonical text. */
export interface Cidr extends AddressRange {
  /** As RFC 4632 and RFC 5952 write it: `203.0.113.0/24`, `2001:db8::/32`. */
  text: string;
  /** Length of the prefix, bits. */
  bits: number;
}

/**
 * A name that a warning list may have: 1 to 64 characters, none of them a control character, no space around it.
 * @throws {BongsuError} LIST_NAME_INVALID
 */
export function checkListName(name: string): string {
  if (name.length === 0 || name.length > MAX_LIST_NAME || name !== name.trim() || /\p{Cc}/u.test(name))
    throw new BongsuError(
      'LIST_NAME_INVALID',
      `A list name has 1 to ${MAX_LIST_NAME} characters, no control characters and no space around it.`,
      'name',
    );
  return name;
}

/** The number that an address is. @throws {BongsuError} BAD_INPUT when it is not an address */
export function addressNumber(text: string): { family: 4 | 6; value: bigint } {
  const bytes = addressBytes(text);
  return { family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${Buffer.from(bytes).toString('hex')}`) };
}

/**
 * Reads a CIDR; an address without a length is itself alone.
 * @throws {BongsuError} BAD_INPUT, without the text itself: an address is nobody's to print
 */
export function parseCidr(text: string): Cidr {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const { family, value } = readAddress(address);
  const width = family === 4 ? 32 : 128;
  const bits = length === undefined ? width : Number(length);
  if (bits > width || (family === 4 && address.includes(':') && length !== undefined))
    throw bad('is not a network: write ADDRESS/LENGTH, IPv4 as IPv4');
  const host = (1n << BigInt(width - bits)) - 1n;
  if ((value & host) !== 0n) throw bad('has bits set behind its length');
  return { family, first: value, last: value | host, bits, text: `${numberText(family, value)}/${bits}` };
}

/**
 * A list's entries in canonical form: sorted, IPv4 first, each once, those within another left out.
 * @param allowPrivate lets in what is not reachable on the Internet: private, shared, documentation, multicast …
 * @throws {BongsuError} BAD_INPUT with the number of the first entry that does not fit, from 1, in `where`
 */
export function canonicalEntries(entries: readonly string[], allowPrivate: boolean): string[] {
  if (entries.length === 0 || entries.length > MAX_LIST_ENTRIES)
    throw new BongsuError('BAD_INPUT', `A list has 1 to ${MAX_LIST_ENTRIES} entries.`, 'entries');
  const cidrs = entries.map((text, i) => {
    try {
      const cidr = parseCidr(text);
      if (cidr.bits < (cidr.family === 4 ? LEAST_BITS_4 : LEAST_BITS_6))
        throw bad(`covers too much: at least /${LEAST_BITS_4} of IPv4, /${LEAST_BITS_6} of IPv6`);
      if (!allowPrivate && SPECIAL.some((special) => overlap(special, cidr)))
        throw bad('is, or holds, addresses that are not reachable on the Internet; allow that if it is meant');
      return cidr;
    } catch (error) {
      const { message } = error as Error;
      throw new BongsuError('BAD_INPUT', `Entry ${i + 1} ${message}.`, `entries[${i}]`);
    }
  });
  cidrs.sort((a, b) => a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : a.bits - b.bits));
  const kept: Cidr[] = [];
  for (const cidr of cidrs) {
    const before = kept.at(-1);
    if (before === undefined || !overlap(before, cidr)) kept.push(cidr);
  }
  return kept.map((cidr) => cidr.text);
}

/** Shorter prefixes would put a large part of the Internet on a list by a slip of the pen. */
const LEAST_BITS_4 = 8;
const LEAST_BITS_6 = 16;

/** IANA's special-purpose registries (RFC 6890 and what updates it), and multicast. */
const SPECIAL: readonly Cidr[] = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24',
  '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3',
  '::/8', '100::/64', '2001:db8::/32', '3fff::/20', 'fc00::/7', 'fe80::/10', 'ff00::/8',
].map(parseCidr); // prettier-ignore

function overlap(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

function readAddress(text: string): { family: 4 | 6; value: bigint } {
  try {
    return addressNumber(text);
  } catch {
    throw bad('is not an IPv4 or IPv6 network');
  }
}

function numberText(family: 4 | 6, value: bigint): string {
  const hex = value.toString(16).padStart(family === 4 ? 8 : 32, '0');
  return ipaddr.fromByteArray([...Buffer.from(hex, 'hex')]).toString();
}

function bad(what: string): BongsuError {
  return new BongsuError('BAD_INPUT', what);
}
