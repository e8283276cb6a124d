import { BongsuError } from '@app/protocol';
import { NAME_PATTERN } from './client-id.js';
import { checkPublicJwk, sameKey, type PublicJwk } from './public-jwk.js';
import { isPersonRole, PERSON_ROLES, type PersonRole } from './roles.js';

/** Somebody of the alliance's staff or of a regulator, known by a personal key. */
export interface Person {
  id: number;
  name: string;
  roles: PersonRole[];
  jwk: PublicJwk;
  state: 'active' | 'suspended';
  createdAt: Date;
}

/** A person as the file of people lists it. */
export type ListedPerson = Pick<Person, 'name' | 'roles' | 'jwk'>;

/**
 * Checks the file of people: `[{name, roles, jwk}]`.
 * @throws {BongsuError} CONFIG_INVALID with the entry concerned
 */
export function checkPeople(value: unknown): ListedPerson[] {
  if (!Array.isArray(value)) throw invalid('people', 'needs a list of {name, roles, jwk}.');
  const people = value.map((entry: unknown, index) => checkPerson(entry, `people.${index}`));
  people.forEach((person, index) => {
    const earlier = people.slice(0, index);
    if (earlier.some((other) => other.name === person.name))
      throw invalid(`people.${index}.name`, `holds "${person.name}", which an earlier entry has.`);
    if (earlier.some((other) => sameKey(other.jwk, person.jwk)))
      throw invalid(`people.${index}.jwk`, 'is the key of an earlier entry: each person needs a key of their own.');
  });
  return people;
}

function checkPerson(value: unknown, where: string): ListedPerson {
  if (typeof value !== 'object' || value === null) throw invalid(where, 'needs {name, roles, jwk}.');
  const { name, roles, jwk } = value as Record<string, unknown>;
  if (typeof name !== 'string' || !NAME_PATTERN.test(name))
    throw invalid(`${where}.name`, 'needs 2 to 31 lower-case letters, digits and hyphens, a letter first.');
  if (!Array.isArray(roles) || roles.length === 0 || !roles.every(isPersonRole))
    throw invalid(`${where}.roles`, `needs at least one of ${PERSON_ROLES.join(', ')}.`);
  try {
    return { name, roles: [...new Set(roles)], jwk: checkPublicJwk(jwk, `${where}.jwk`) };
  } catch (error) {
    throw error instanceof BongsuError ? new BongsuError('CONFIG_INVALID', error.message, error.where) : error;
  }
}

function invalid(where: string, rest: string): BongsuError {
  return new BongsuError('CONFIG_INVALID', `${where} ${rest}`, where);
}
