import ipaddr from 'ipaddr.js';
import { BongsuError } from './errors.js';
import { MEMBER_NAME, TOKEN_KINDS, type TokenKind } from './vocabulary.js';

/** Bytes of a token: the first 32 of the RFC 9497 VOPRF output (64 bytes for ristretto255-SHA512). */
export const TOKEN_BYTES = 32;

/** Hex digits of a token's short form: what staff see and members can resolve for their own keys. */
export const SHORT_TOKEN_DIGITS = 16;

/** A token as base64url without padding, 43 characters: its form in JSON and GraphQL. */
export function encodeToken(token: Uint8Array): string {
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('base64url');
}

/** @throws {BongsuError} TOKEN_MALFORMED unless `text` is base64url for exactly 32 bytes, canonically written */
export function decodeToken(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== TOKEN_BYTES || bytes.toString('base64url') !== text)
    throw new BongsuError('TOKEN_MALFORMED', 'A token is 43 base64url characters for 32 bytes.');
  return bytes;
}

/** The short form of a token: its first 16 hex digits (64 bits), enough to tell tokens apart, not to use one. */
export function shortToken(token: Uint8Array): string {
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('hex', 0, SHORT_TOKEN_DIGITS / 2);
}

/**
 * Canonical text of an address: IPv4 dotted, IPv6 as RFC 5952, IPv4-mapped IPv6 folded into IPv4.
 * @throws {BongsuError} BAD_INPUT when it is not an address
 */
export function canonicalIp(text: string): string {
  return parseIp(text).toString();
}

/**
 * The bytes of an address, 4 or 16, IPv4-mapped IPv6 folded into IPv4.
 * @throws {BongsuError} BAD_INPUT when it is not an address
 */
export function addressBytes(text: string): Uint8Array {
  return Uint8Array.from(parseIp(text).toByteArray());
}

/**
 * The network prefix of an address: /24 for IPv4, /48 for IPv6, in canonical CIDR text.
 * @throws {BongsuError} BAD_INPUT when it is not an address
 */
export function ipPrefix(text: string): string {
  const ip = parseIp(text);
  const bytes = ip.toByteArray();
  const kept = ip.kind() === 'ipv4' ? 3 : 6;
  const network = ipaddr.fromByteArray(bytes.map((byte, i) => (i < kept ? byte : 0)));
  return `${network.toString()}/${kept * 8}`;
}

function parseIp(text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const trimmed = text.trim();
  // The library also reads octal, hex and short IPv4 forms, which gateways never write and which would fold
  // different strings into one address; only four decimal parts pass.
  const dotted = !trimmed.includes(':');
  if (dotted ? ipaddr.IPv4.isValidFourPartDecimal(trimmed) : ipaddr.IPv6.isValid(trimmed)) {
    const ip = ipaddr.parse(trimmed);
    if (ip instanceof ipaddr.IPv6) {
      if (ip.zoneId !== undefined && ip.zoneId !== null && ip.zoneId !== '') throw notAnAddress(text);
      return ip.isIPv4MappedAddress() ? ip.toIPv4Address() : ip;
    }
    return ip;
  }
  throw notAnAddress(text);
}

function notAnAddress(text: string): BongsuError {
  return new BongsuError('BAD_INPUT', `"${text.slice(0, 60)}" is not an IPv4 or IPv6 address.`, 'ip');
}

/**
 * The bytes that are blinded for one value. Each kind has its own tag, so tokens of one kind never equal those of
 * another; a key's also carry the member's name, so equal key strings at two exchanges differ. Layout:
 * `bongsu/v1/<kind>` NUL, for keys `<member>` NUL, then the canonical value in UTF-8.
 * Canonical: addresses by {@link canonicalIp}; prefixes by {@link ipPrefix} of the address given; owners (CI) with
 * white space removed; keys and clients NFC-normalised and trimmed.
 * @throws {BongsuError} BAD_INPUT on an empty or overlong (1,024 characters) value, a bad address or member name
 */
export function tokenInput(kind: TokenKind, value: string, member: string): Uint8Array {
  if (!TOKEN_KINDS.includes(kind)) throw new BongsuError('BAD_INPUT', `"${kind}" is not a token kind.`, 'kind');
  if (!MEMBER_NAME.test(member)) throw new BongsuError('BAD_INPUT', `"${member}" is not a member name.`, 'member');
  const canonical = canonicalValue(kind, value);
  if (canonical.length === 0 || canonical.length > 1024 || canonical.includes('\0'))
    throw new BongsuError('BAD_INPUT', `A ${kind} has 1 to 1,024 characters and no NUL.`, kind);
  const tag = kind === 'key' ? `bongsu/v1/key\0${member}\0` : `bongsu/v1/${kind}\0`;
  return Buffer.from(tag + canonical, 'utf8');
}

function canonicalValue(kind: TokenKind, value: string): string {
  switch (kind) {
    case 'ip':
      return canonicalIp(value);
    case 'prefix':
      return ipPrefix(value.replace(/\/\d+$/, ''));
    case 'owner':
      return value.normalize('NFC').replace(/\s+/g, '');
    default:
      return value.normalize('NFC').trim();
  }
}
