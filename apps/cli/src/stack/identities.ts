import { generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BongsuError, DEVELOPMENT_MARK, markedForDevelopment, publicPart } from '@app/protocol';

/** Files with the keys of a hub that is started here: for development and demonstration, and marked so. */
export interface Identities {
  signingKeyFile: string;
  /** One for each holder. */
  blinderKeyFiles: string[];
  /** The list of members that the blinder is to know, as staff keep it: not signed. */
  blinderListFile: string;
  /** The same, signed: what the blinder reads. Made when first needed. */
  blinderMembersFile: string;
  allianceKeyFile: string;
  alliancePublicKeyFile: string;
  peopleFile: string;
  databasePassword: string;
  staffKeyFile: string;
  regulatorKeyFile: string;
}

/** People of a hub that is started here. */
export const STAFF_NAME = 'operator';
export const REGULATOR_NAME = 'inspector';

/**
 * Refuses to make keys where they would have to be real ones.
 * @throws {BongsuError} CONFIG_INVALID in production
 */
export function refuseInProduction(env: NodeJS.ProcessEnv): void {
  if (env['NODE_ENV'] === 'production')
    throw new BongsuError(
      'CONFIG_INVALID',
      'This makes keys and a database of its own, for development, and is refused with NODE_ENV=production. Run each part by itself with real keys: npm run migrate, start:hub, start:worker, start:blinder (docs/deployment.md).',
      'NODE_ENV',
    );
}

/** Makes what is missing in a folder; what is there is kept. */
export function ensureIdentities(folder: string, blinders = 1): Identities {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = (name: string) => join(folder, name);
  const ensure = (name: string, content: () => string): string => {
    if (!existsSync(path(name))) writeFileSync(path(name), content(), { mode: 0o600 });
    return path(name);
  };
  const staffKeyFile = ensure('staff.jwk', privateJwk);
  const regulatorKeyFile = ensure('regulator.jwk', privateJwk);
  const allianceKeyFile = ensure('alliance.jwk', privateJwk);
  const people = [
    { name: STAFF_NAME, roles: ['staff_operator', 'auditor'], jwk: publicHalf(staffKeyFile) },
    { name: REGULATOR_NAME, roles: ['regulator'], jwk: publicHalf(regulatorKeyFile) },
  ];
  return {
    signingKeyFile: ensure('hub-signing.jwk', privateJwk),
    blinderKeyFiles: Array.from({ length: blinders }, (_, i) =>
      path(i === 0 ? 'blinder.seed' : `blinder-${i + 1}.seed`),
    ),
    blinderListFile: path('blinder-list.json'),
    blinderMembersFile: path('blinder-members.jws'),
    allianceKeyFile,
    alliancePublicKeyFile: ensure('alliance.public.jwk', () => JSON.stringify(publicHalf(allianceKeyFile))),
    peopleFile: ensure('people.json', () => JSON.stringify(people, null, 2)),
    databasePassword: readFileSync(
      ensure('database-password', () => `${DEVELOPMENT_MARK}-${randomBytes(24).toString('hex')}`),
      'utf8',
    ),
    staffKeyFile,
    regulatorKeyFile,
  };
}

/** Makes a blinder's seed, unless it is there, or was destroyed with its epoch and others have followed. */
export function ensureSeed(file: string, stateDir: string): void {
  if (existsSync(file) || existsSync(join(stateDir, 'keys', 'epochs.json'))) return;
  writeFileSync(file, `${DEVELOPMENT_MARK}:${randomBytes(32).toString('hex')}`, { mode: 0o600 });
}

function privateJwk(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return JSON.stringify(markedForDevelopment(privateKey.export({ format: 'jwk' })));
}

function publicHalf(file: string): JsonWebKey {
  return publicPart(JSON.parse(readFileSync(file, 'utf8')) as JsonWebKey);
}
