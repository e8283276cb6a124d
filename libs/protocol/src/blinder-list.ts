import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { calculateJwkThumbprint, CompactSign, compactVerify, errors, importJWK, type JWK } from 'jose';
import { BongsuError } from './errors.js';
import { MEMBER_NAME } from './vocabulary.js';

/** `typ` of a signed list (RFC 7515, section 4.1.9): no other thing that the alliance's key signs passes for one. */
export const BLINDER_LIST_TYPE = 'bongsu-blinder-list+jws';

/** Keys of one caller: two overlap while it changes from one to the other. */
export const MOST_KEYS = 2;

/** Largest list, as text: thousands of members. */
export const MAX_BLINDER_LIST_BYTES = 4 << 20;

const STAFF_NAME = /^[a-z0-9][a-z0-9._@-]{0,63}$/;

/** One who may ask the blinder. */
export interface ListedCaller {
  readonly name: string;
  /** Public JWKs, one or {@link MOST_KEYS}: EC P-256 or OKP Ed25519. */
  readonly keys: readonly JsonWebKey[];
  /** Elements a UTC day, where a member has a quota of its own. */
  readonly dailyQuota?: number;
}

/** Members and staff whom the blinder knows, as the alliance signs them. */
export interface BlinderList {
  /** Rises with every list that is signed; 0 for one that never was. */
  readonly sequence: number;
  /** ISO 8601; empty where the list was never signed. */
  readonly issuedAt: string;
  readonly members: readonly ListedCaller[];
  readonly staff: readonly ListedCaller[];
}

/** The JWS algorithms that fit a public or private JWK; undefined for a kind of key that is not used here. */
export function algorithmsOf(jwk: JsonWebKey): readonly [string, ...string[]] | undefined {
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') return ['ES256'];
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return ['EdDSA', 'Ed25519'];
  return undefined;
}

/**
 * Checks a list, signed or not.
 * @throws {BongsuError} BAD_INPUT with the path of what is wrong
 */
export function checkBlinderList(value: unknown): BlinderList {
  if (!isRecord(value)) throw bad('', 'must be an object {sequence, issuedAt, members, staff}');
  const { sequence, issuedAt, members, staff = [] } = value;
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 0) throw bad('sequence', 'must be a whole number');
  if (typeof issuedAt !== 'string' || (issuedAt !== '' && Number.isNaN(Date.parse(issuedAt))))
    throw bad('issuedAt', 'must be an ISO 8601 time');
  if (!Array.isArray(members)) throw bad('members', 'must be a list');
  if (!Array.isArray(staff)) throw bad('staff', 'must be a list');
  const list = {
    sequence: sequence as number,
    issuedAt,
    members: members.map((entry, i) => readCaller(entry, MEMBER_NAME, `members[${i}]`)),
    staff: staff.map((entry, i) => readCaller(entry, STAFF_NAME, `staff[${i}]`)),
  };
  refuseDoubles(list);
  return list;
}

/**
 * Signs a list.
 * @param key the alliance's private JWK
 * @returns compact JWS: the file that the blinder reads
 * @throws {BongsuError} BAD_INPUT for a list or key that does not fit
 */
export async function signBlinderList(list: BlinderList, key: JsonWebKey): Promise<string> {
  const checked = checkBlinderList(list);
  if (checked.sequence < 1 || checked.issuedAt === '') throw bad('sequence', 'and issuedAt must be set to be signed');
  const [alg] = algorithmsOf(key) ?? [];
  if (alg === undefined || typeof key.d !== 'string')
    throw new BongsuError('BAD_INPUT', 'The alliance’s key must be a private JWK: EC P-256 or OKP Ed25519.', 'key');
  return new CompactSign(Buffer.from(JSON.stringify(checked)))
    .setProtectedHeader({ alg, typ: BLINDER_LIST_TYPE, kid: await calculateJwkThumbprint(key as JWK) })
    .sign(await importJWK(key as JWK, alg));
}

/**
 * Opens a signed list.
 * @param text compact JWS
 * @param key the alliance's public JWK; its kind decides the algorithm, the list's header chooses none
 * @throws {BongsuError} BAD_INPUT for a list that is not signed by this key, or malformed
 */
export async function openBlinderList(text: string, key: JsonWebKey): Promise<BlinderList> {
  const algorithms = algorithmsOf(key);
  if (algorithms === undefined || text.length > MAX_BLINDER_LIST_BYTES) throw bad('', 'cannot be read');
  let payload: Uint8Array;
  try {
    const imported = await importJWK(publicPart(key) as JWK, algorithms[0]);
    const opened = await compactVerify(text.trim(), imported, { algorithms: [...algorithms] });
    if (opened.protectedHeader.typ !== BLINDER_LIST_TYPE) throw bad('', `is not of the type ${BLINDER_LIST_TYPE}`);
    payload = opened.payload;
  } catch (error) {
    if (error instanceof BongsuError) throw error;
    if (error instanceof errors.JOSEError || error instanceof TypeError)
      throw bad('', 'is not signed by the alliance’s key');
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    throw bad('', 'holds no JSON');
  }
  const list = checkBlinderList(value);
  if (list.sequence < 1 || list.issuedAt === '') throw bad('sequence', 'and issuedAt must be set');
  return list;
}

/** RFC 7638 thumbprint of a key, by which people compare and name it. */
export function keyThumbprint(jwk: JsonWebKey): Promise<string> {
  return calculateJwkThumbprint(jwk as JWK);
}

/** A JWK without what only its owner may know. */
export function publicPart({ d: _private, ...jwk }: JsonWebKey): JsonWebKey {
  return jwk;
}

function readCaller(entry: unknown, pattern: RegExp, path: string): ListedCaller {
  if (!isRecord(entry)) throw bad(path, 'must be an object');
  const { name, keys, dailyQuota } = entry;
  if (typeof name !== 'string' || !pattern.test(name)) throw bad(`${path}.name`, 'must be a name');
  if (!Array.isArray(keys) || keys.length < 1 || keys.length > MOST_KEYS)
    throw bad(`${path}.keys`, `must be a list of 1 to ${MOST_KEYS} public JWKs`);
  if (dailyQuota !== undefined && !(Number.isSafeInteger(dailyQuota) && (dailyQuota as number) >= 0))
    throw bad(`${path}.dailyQuota`, 'must be a whole number of elements');
  const read = keys.map((key, i) => readKey(key, `${path}.keys[${i}]`));
  return { name, keys: read, ...(dailyQuota === undefined ? {} : { dailyQuota: dailyQuota as number }) };
}

function readKey(jwk: unknown, path: string): JsonWebKey {
  if (!isRecord(jwk)) throw bad(path, 'must be a public JWK');
  if ('d' in jwk) throw bad(path, 'holds a private key: a caller hands in its public one only');
  if (algorithmsOf(jwk) === undefined) throw bad(path, 'must be EC P-256 (ES256) or OKP Ed25519 (EdDSA)');
  try {
    createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw bad(path, 'is no valid key');
  }
  return jwk;
}

/** A name or key that is there twice would make it unclear whose call one is. */
function refuseDoubles({ members, staff }: BlinderList): void {
  const names = new Set<string>();
  const keys = new Set<string>();
  const once = (seen: Set<string>, value: string, path: string, what: string) => {
    if (seen.has(value)) throw bad(path, what);
    seen.add(value);
  };
  for (const [role, callers] of Object.entries({ members, staff }))
    callers.forEach((caller, i) => {
      once(names, caller.name, `${role}[${i}].name`, `"${caller.name}" is there twice`);
      caller.keys.forEach((key, k) =>
        once(keys, JSON.stringify([key.crv, key.x, key.y]), `${role}[${i}].keys[${k}]`, 'is there twice'),
      );
    });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(path: string, what: string): BongsuError {
  return new BongsuError('BAD_INPUT', `The list of members: ${path === '' ? 'it' : path} ${what}.`, path || undefined);
}
