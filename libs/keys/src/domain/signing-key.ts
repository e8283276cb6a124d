import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { BongsuError } from '@app/protocol';

/** What the hub signs with: ES256, or RS256 for receivers that know nothing newer. */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** A public signing key as others know it. `kid` is its RFC 7638 thumbprint. */
export interface PublicSigningKey {
  kid: string;
  alg: SigningAlgorithm;
  /** Public JWK with `kid`, `alg` and `use`. */
  jwk: JsonWebKey;
}

/** A key that this process may sign with. */
export interface SigningKey extends PublicSigningKey {
  privateKey: KeyObject;
}

/** The JWK members of RFC 7638 per key type, in their order. */
const THUMBPRINT_MEMBERS: Record<string, readonly string[]> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
};

const PARTS = 'a private JWK whose parts belong together; a public key or a damaged one cannot sign';

/** Shortest RSA modulus that the CAEP interoperability profile accepts, bits. */
const LEAST_RSA_BITS = 2048;

/**
 * RFC 7638 SHA-256 thumbprint of a public or private JWK, base64url.
 * @throws {TypeError} for a key type without a rule
 */
export function thumbprint(jwk: JsonWebKey): string {
  const members = THUMBPRINT_MEMBERS[jwk.kty ?? ''];
  if (!members) throw new TypeError(`no thumbprint for key type ${jwk.kty}`);
  const picked = Object.fromEntries(members.map((m) => [m, jwk[m]]));
  return createHash('sha256').update(JSON.stringify(picked)).digest('base64url');
}

/**
 * Reads the configured private JWK.
 * @param text JSON of a private JWK: EC on P-256, or RSA of at least 2048 bits
 * @throws {BongsuError} CONFIG_INVALID; the message never repeats the key
 */
export function readSigningKey(text: string): SigningKey {
  const jwk = parseJwk(text);
  const alg = algorithmOf(jwk);
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    throw refused(PARTS);
  }
  if (alg === 'RS256' && (privateKey.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_RSA_BITS)
    throw refused(`an RSA key of at least ${LEAST_RSA_BITS} bits`);
  const publicKey = createPublicKey(privateKey);
  // A JWK whose public part belongs to another key is accepted by the import, and nobody could verify what it signs.
  const probe = Buffer.from('probe');
  if (!verify('sha256', probe, publicKey, sign('sha256', probe, privateKey))) throw refused(PARTS);
  const publicPart = publicKey.export({ format: 'jwk' });
  const kid = thumbprint(publicPart);
  return { kid, alg, privateKey, jwk: { ...publicPart, kid, alg, use: 'sig' } };
}

/** Most keys of one process: what signs, what comes next, and what went before. */
const MOST_KEYS = 5;

/**
 * Reads what is configured to sign with: one private JWK, or a JWK Set of them, first choice first.
 * @throws {BongsuError} CONFIG_INVALID; the message never repeats a key
 */
export function readSigningKeys(text: string): SigningKey[] {
  const value = parseJwk(text) as { keys?: unknown };
  if (!('keys' in value)) return [readSigningKey(text)];
  const { keys } = value;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS)
    throw refused(`a private JWK, or a JWK Set of 1 to ${MOST_KEYS} of them`);
  const read = keys.map((key) => readSigningKey(JSON.stringify(key)));
  if (new Set(read.map(({ kid }) => kid)).size < read.length) throw refused('each key of the JWK Set once');
  return read;
}

function parseJwk(text: string): JsonWebKey {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused('a private JWK as JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused('a private JWK as JSON');
  return value as JsonWebKey;
}

function algorithmOf(jwk: JsonWebKey): SigningAlgorithm {
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') return 'ES256';
  if (jwk.kty === 'RSA') return 'RS256';
  throw refused('a private JWK of type EC on curve P-256 (ES256), or RSA (RS256)');
}

function refused(expected: string): BongsuError {
  return new BongsuError('CONFIG_INVALID', `HUB_SIGNING_KEY needs ${expected}.`, 'HUB_SIGNING_KEY');
}
