import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { algorithmsOf, type BlinderList, type ListedCaller } from '@app/protocol';

/** A caller's key, with the JWS algorithms that fit it: a token's header chooses none of its own. */
export interface CallerKey {
  readonly key: KeyObject;
  readonly algorithms: readonly string[];
}

/** One who may ask: a member for evaluations, staff for the audit. */
export interface Caller {
  readonly name: string;
  readonly role: 'member' | 'staff';
  /** One, or two while the caller changes from one to the other. */
  readonly keys: readonly CallerKey[];
  /** The member's own quota of elements a day, where it has one. */
  readonly dailyQuota?: number;
}

/** Callers by name. */
export type Roster = ReadonlyMap<string, Caller>;

/** The callers of a checked list. */
export function rosterOf({ members, staff }: BlinderList): Roster {
  const callers = [
    ...members.map((entry) => callerOf(entry, 'member')),
    ...staff.map((entry) => callerOf(entry, 'staff')),
  ];
  return new Map(callers.map((caller) => [caller.name, caller]));
}

function callerOf({ name, keys, dailyQuota }: ListedCaller, role: Caller['role']): Caller {
  return { name, role, keys: keys.map(keyOf), ...(dailyQuota === undefined ? {} : { dailyQuota }) };
}

function keyOf(jwk: JsonWebKey): CallerKey {
  return { key: createPublicKey({ key: jwk, format: 'jwk' }), algorithms: algorithmsOf(jwk) ?? [] };
}
