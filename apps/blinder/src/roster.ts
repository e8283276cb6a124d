import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { BongsuError, MEMBER_NAME } from '@app/protocol';

const STAFF_NAME = /^[a-z0-9][a-z0-9._@-]{0,63}$/;

/** One who may ask: a member for evaluations, staff for the audit. */
export interface Caller {
  readonly name: string;
  readonly role: 'member' | 'staff';
  readonly key: KeyObject;
  /** JWS algorithms that fit the key; the token's header chooses none of its own. */
  readonly algorithms: readonly string[];
  /** The member's own quota of elements a day, where it has one. */
  readonly dailyQuota?: number;
}

/** Callers by name. */
export type Roster = ReadonlyMap<string, Caller>;

/**
 * Reads the members file: `{"members":[{"name","jwk","dailyQuota"?}],"staff"?:[{"name","jwk"}]}` with public JWKs, EC P-256 or
 * OKP Ed25519.
 * @throws {BongsuError} BAD_INPUT with the path of what is wrong
 */
export function parseRoster(text: string): Roster {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    throw bad('', `is not JSON: ${(error as Error).message}`);
  }
  if (!isRecord(root) || !Array.isArray(root['members'])) throw bad('members', 'must be a list');
  const staff = root['staff'] ?? [];
  if (!Array.isArray(staff)) throw bad('staff', 'must be a list');
  const roster = new Map<string, Caller>();
  const add = (caller: Caller, path: string): void => {
    if (roster.has(caller.name)) throw bad(`${path}.name`, `"${caller.name}" is there twice`);
    roster.set(caller.name, caller);
  };
  root['members'].forEach((entry, i) => add(readCaller(entry, 'member', `members[${i}]`), `members[${i}]`));
  staff.forEach((entry, i) => add(readCaller(entry, 'staff', `staff[${i}]`), `staff[${i}]`));
  return roster;
}

function readCaller(entry: unknown, role: Caller['role'], path: string): Caller {
  if (!isRecord(entry)) throw bad(path, 'must be an object');
  const { name, jwk, dailyQuota } = entry;
  if (typeof name !== 'string' || !(role === 'member' ? MEMBER_NAME : STAFF_NAME).test(name))
    throw bad(`${path}.name`, `must be a ${role}'s name`);
  if (dailyQuota !== undefined && !(Number.isSafeInteger(dailyQuota) && (dailyQuota as number) >= 0))
    throw bad(`${path}.dailyQuota`, 'must be a whole number of elements');
  return {
    name,
    role,
    ...readKey(jwk, `${path}.jwk`),
    ...(dailyQuota === undefined ? {} : { dailyQuota: dailyQuota as number }),
  };
}

function readKey(jwk: unknown, path: string): Pick<Caller, 'key' | 'algorithms'> {
  if (!isRecord(jwk)) throw bad(path, 'must be a public JWK');
  if ('d' in jwk) throw bad(path, 'holds a private key: a member sends its public one only');
  const algorithms =
    jwk['kty'] === 'EC' && jwk['crv'] === 'P-256'
      ? ['ES256']
      : jwk['kty'] === 'OKP' && jwk['crv'] === 'Ed25519'
        ? ['EdDSA', 'Ed25519']
        : undefined;
  if (algorithms === undefined) throw bad(path, 'must be EC P-256 (ES256) or OKP Ed25519 (EdDSA)');
  try {
    return { key: createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }), algorithms };
  } catch (error) {
    throw bad(path, `is no valid key: ${(error as Error).message}`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(path: string, what: string): BongsuError {
  return new BongsuError('BAD_INPUT', `Members file: ${path === '' ? 'it' : path} ${what}.`, path || undefined);
}
