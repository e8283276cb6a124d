import type { JsonWebKey } from 'node:crypto';
import { BongsuError, checkBlinderList, keyThumbprint, MOST_KEYS, type BlinderList } from '@app/protocol';

/** Which part of the list a caller is on: a member may have values evaluated, staff may read the audit. */
export type CallerKind = 'members' | 'staff';

export const EMPTY_LIST: BlinderList = { sequence: 0, issuedAt: '', members: [], staff: [] };

/**
 * Puts a caller on the list, or a second key beside its first.
 * @returns the list as it then is; the same where the caller is there with this key and quota
 * @throws {BongsuError} BAD_INPUT for a third key, or what the list cannot hold
 */
export async function withCaller(
  list: BlinderList,
  kind: CallerKind,
  caller: { name: string; key?: JsonWebKey | undefined; dailyQuota?: number | undefined },
): Promise<BlinderList> {
  const { name, key, dailyQuota } = caller;
  const known = list[kind].find((entry) => entry.name === name);
  if (!known && !key) throw new BongsuError('BAD_INPUT', `${name} is not on the list: give its public key.`, name);
  const keys = [...(known?.keys ?? [])];
  if (key && !(await thumbprintsOf(keys)).includes(await keyThumbprint(key))) keys.push(key);
  if (keys.length > MOST_KEYS)
    throw new BongsuError(
      'BAD_INPUT',
      `${name} has ${MOST_KEYS} keys already: take the one that it no longer uses away first (remove ${name} --key THUMBPRINT).`,
      name,
    );
  const quota = dailyQuota ?? known?.dailyQuota;
  const entry = { name, keys, ...(quota === undefined ? {} : { dailyQuota: quota }) };
  const others = list[kind].filter((other) => other.name !== name);
  const callers = known ? list[kind].map((other) => (other === known ? entry : other)) : [...others, entry];
  return checkBlinderList({ ...list, [kind]: callers });
}

/**
 * Takes a caller off the list, or one of its two keys.
 * @param thumbprint the key's, or its beginning
 * @throws {BongsuError} NOT_FOUND; BAD_INPUT for a beginning that several keys have, or the only key
 */
export async function withoutCaller(list: BlinderList, name: string, thumbprint?: string): Promise<BlinderList> {
  const known = [...list.members, ...list.staff].find((entry) => entry.name === name);
  if (!known) throw new BongsuError('NOT_FOUND', `${name} is not on the list.`, name);
  if (thumbprint === undefined) return mapCallers(list, (entry) => (entry.name === name ? [] : [entry]));
  const prints = await thumbprintsOf(known.keys);
  const found = prints.filter((print) => print.startsWith(thumbprint));
  if (found.length === 0)
    throw new BongsuError('NOT_FOUND', `${name} has no key ${thumbprint}; it has ${prints.join(', ')}.`, '--key');
  if (found.length > 1) throw new BongsuError('BAD_INPUT', `Both keys of ${name} begin so: give more.`, '--key');
  if (prints.length === 1)
    throw new BongsuError('BAD_INPUT', `It is the only key of ${name}: add its new one first, or remove it.`, '--key');
  const keys = known.keys.filter((_, i) => prints[i] !== found[0]);
  return mapCallers(list, (entry) => [entry === known ? { ...entry, keys } : entry]);
}

/** The list as it is to be signed next: one number on. */
export function nextIssue(list: BlinderList, now: Date): BlinderList {
  return { ...list, sequence: list.sequence + 1, issuedAt: now.toISOString() };
}

type Entry = BlinderList['members'][number];

function mapCallers(list: BlinderList, change: (entry: Entry) => Entry[]): BlinderList {
  return checkBlinderList({ ...list, members: list.members.flatMap(change), staff: list.staff.flatMap(change) });
}

function thumbprintsOf(keys: readonly JsonWebKey[]): Promise<string[]> {
  return Promise.all(keys.map((key) => keyThumbprint(key)));
}
