import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files with the keys of a hub that is started here: for development and demonstration. */
export interface Identities {
  signingKeyFile: string;
  blinderKeyFile: string;
  /** Members that the blinder knows: staff keep this list. */
  blinderMembersFile: string;
  peopleFile: string;
  databasePassword: string;
  staffKeyFile: string;
  regulatorKeyFile: string;
}

/** People of a hub that is started here. */
export const STAFF_NAME = 'operator';
export const REGULATOR_NAME = 'inspector';

/** Makes what is missing in a folder; what is there is kept. */
export function ensureIdentities(folder: string): Identities {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = (name: string) => join(folder, name);
  const ensure = (name: string, content: () => string): string => {
    if (!existsSync(path(name))) writeFileSync(path(name), content(), { mode: 0o600 });
    return path(name);
  };
  const staffKeyFile = ensure('staff.jwk', privateJwk);
  const regulatorKeyFile = ensure('regulator.jwk', privateJwk);
  const people = [
    { name: STAFF_NAME, roles: ['staff_operator', 'auditor'], jwk: publicHalf(staffKeyFile) },
    { name: REGULATOR_NAME, roles: ['regulator'], jwk: publicHalf(regulatorKeyFile) },
  ];
  return {
    signingKeyFile: ensure('hub-signing.jwk', privateJwk),
    blinderKeyFile: ensure('blinder.seed', () => randomBytes(32).toString('hex')),
    blinderMembersFile: ensure('blinder-members.json', () => '{"members":[]}\n'),
    peopleFile: ensure('people.json', () => JSON.stringify(people, null, 2)),
    databasePassword: readFileSync(
      ensure('database-password', () => randomBytes(24).toString('hex')),
      'utf8',
    ),
    staffKeyFile,
    regulatorKeyFile,
  };
}

function privateJwk(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return JSON.stringify(privateKey.export({ format: 'jwk' }));
}

function publicHalf(file: string): Record<string, unknown> {
  const { d: _private, ...jwk } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  return jwk;
}
