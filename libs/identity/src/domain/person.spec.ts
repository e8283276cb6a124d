import { generateKeyPairSync } from 'node:crypto';
import { checkPeople } from './person.js';

const key = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
const kim = { name: 'kim', roles: ['staff_author', 'staff_author'], jwk: key() };

describe('the file of people', () => {
  it('lists people with roles and keys of their own', () => {
    const lee = { name: 'lee', roles: ['regulator'], jwk: key() };
    expect(checkPeople([kim, lee])).toEqual([{ ...kim, roles: ['staff_author'] }, lee]);
    expect(checkPeople([])).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ people: [] }, 'people'],
    [[null], 'people.0'],
    [[{ ...kim, name: 'Kim' }], 'people.0.name'],
    [[kim, { ...kim, jwk: key() }], 'people.1.name'],
    [[kim, { ...kim, name: 'lee' }], 'people.1.jwk'],
    [[{ ...kim, roles: [] }], 'people.0.roles'],
    [[{ ...kim, roles: ['member'] }], 'people.0.roles'],
    [[{ ...kim, roles: ['admin'] }], 'people.0.roles'],
    [[{ ...kim, jwk: { kty: 'OKP' } }], 'people.0.jwk'],
    [[{ ...kim, jwk: generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) }], 'people.0.jwk'],
  ])('is refused with the entry concerned %#', (value, where) => {
    expect(() => checkPeople(value)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', where }));
  });
});
