import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import {
  BongsuError,
  checkBlinderList,
  openBlinderList,
  publicPart,
  signBlinderList,
  type BlinderList,
} from '@app/protocol';
import { EMPTY_LIST, nextIssue, withCaller } from './changes.js';

/** Where an alliance's list of members is kept, and what it is signed with. */
export interface ListFiles {
  /** The list as staff keep it: plain JSON. */
  blinderListFile: string;
  /** The signed list, which the blinder reads. */
  blinderMembersFile: string;
  /** The alliance's private JWK. */
  allianceKeyFile: string;
}

/** @throws {BongsuError} BAD_INPUT for a file that is no list, naming what is wrong */
export function readList(file: string): BlinderList {
  return checkBlinderList(JSON.parse(readText(file, 'a list; make one with `blinder-list create`')));
}

/** Writes the list as staff keep it. */
export function writeList(file: string, list: BlinderList): void {
  replaceFile(file, `${JSON.stringify(checkBlinderList(list), null, 2)}\n`);
}

/** @throws {BongsuError} BAD_INPUT for a file without a JWK; its content is not repeated */
export function readJwk(file: string): JsonWebKey {
  const jwk = JSON.parse(readText(file, 'a JWK')) as { jwk?: JsonWebKey } & JsonWebKey;
  if (typeof jwk !== 'object' || jwk === null) throw new BongsuError('BAD_INPUT', `${file} is no JWK.`, file);
  return jwk.jwk ?? jwk;
}

/**
 * Signs the list under its next number, and keeps that number: first in the list, so that no number is used twice for
 * two contents whatever happens between.
 * @throws {BongsuError} BAD_INPUT
 */
export async function signList(files: ListFiles, now: Date): Promise<BlinderList> {
  const key = readJwk(files.allianceKeyFile);
  const list = nextIssue(readList(files.blinderListFile), now);
  const signed = await signBlinderList(list, key);
  await openBlinderList(signed, publicPart(key));
  writeList(files.blinderListFile, list);
  replaceFile(files.blinderMembersFile, `${signed}\n`);
  return list;
}

/** Puts a member on a list and signs it, in one go: where list and key are on one machine, as in development. */
export async function listMember(files: ListFiles, name: string, key: JsonWebKey, now: Date): Promise<void> {
  const list = await withCaller(readList(files.blinderListFile), 'members', { name, key });
  writeList(files.blinderListFile, list);
  await signList(files, now);
}

/** Makes a list with one of the staff on it and nobody else, signed, where there is none. */
export async function ensureSignedList(
  files: ListFiles,
  staff: { name: string; key: JsonWebKey },
  now: Date,
): Promise<void> {
  if (!existsSync(files.blinderListFile)) writeList(files.blinderListFile, EMPTY_LIST);
  const list = readList(files.blinderListFile);
  const known = list.staff.some(({ name }) => name === staff.name);
  if (!known) writeList(files.blinderListFile, await withCaller(list, 'staff', staff));
  if (!known || !existsSync(files.blinderMembersFile)) await signList(files, now);
}

/**
 * Makes the alliance's key: a private JWK that only its owner can read, and the public one beside it.
 * @throws {BongsuError} BAD_INPUT where one of the files is there: a key that lists were signed with is not overwritten
 */
export function makeAllianceKey(file: string, publicFile: string): JsonWebKey {
  for (const path of [file, publicFile])
    if (existsSync(path)) throw new BongsuError('BAD_INPUT', `${path} is there already; choose another name.`, path);
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  writeFileSync(file, `${JSON.stringify(jwk)}\n`, { mode: 0o600, flag: 'wx' });
  writeFileSync(publicFile, `${JSON.stringify(publicPart(jwk))}\n`, { mode: 0o644, flag: 'wx' });
  return jwk;
}

function readText(file: string, expected: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
    JSON.parse(text);
  } catch {
    throw new BongsuError('BAD_INPUT', `${file} cannot be read as ${expected}.`, file);
  }
  return text;
}

/** In one step: whoever follows the file never sees half of it. Lists hold nothing secret. */
function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o644 });
  renameSync(`${file}.new`, file);
}
