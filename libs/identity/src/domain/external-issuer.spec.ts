import { checkIssuers, externalPerson, type PeopleMapping } from './external-issuer.js';

const people: PeopleMapping = {
  kind: 'people',
  as: 'staff',
  nameClaim: 'preferred_username',
  rolesClaim: 'groups',
  roles: { 'hub authors': ['staff_author'], 'hub desk': ['staff_operator', 'auditor'] },
  amr: ['mfa'],
};
const entry = { name: 'alliance', issuer: 'https://id.example', jwksUri: 'https://id.example/jwks', tokens: people };

describe('the file of external issuers', () => {
  it('is taken as it is where it fits', () => {
    const clients = { ...entry, name: 'members', issuer: 'https://as.example', tokens: { kind: 'clients' } };
    const forMembers = { ...clients, tokens: { kind: 'clients', as: ['member'] } };
    expect(checkIssuers([entry, clients], true)).toEqual([entry, forMembers]);
    expect(checkIssuers([], true)).toEqual([]);
    const local = { ...entry, issuer: 'http://127.0.0.1:9', jwksUri: 'http://localhost:9/jwks' };
    expect(checkIssuers([local], false)).toEqual([local]);
  });

  const tokens = (change: object) => ({ ...entry, tokens: { ...people, ...change } });
  it.each<[string, unknown, string]>([
    ['no list', {}, 'issuers'],
    ['an entry that is no object', [5], 'issuers.0'],
    ['a name out of the alphabet', [{ ...entry, name: 'The IdP' }], 'issuers.0.name'],
    ['no TLS', [{ ...entry, jwksUri: 'http://127.0.0.1/jwks' }], 'issuers.0.jwksUri'],
    ['no URL', [{ ...entry, issuer: 'id.example' }], 'issuers.0.issuer'],
    ['a field that means nothing', [{ ...entry, audience: 'x' }], 'issuers.0.audience'],
    ['the same name twice', [entry, { ...entry, issuer: 'https://as.example' }], 'issuers.1.name'],
    ['the same issuer twice', [entry, { ...entry, name: 'other' }], 'issuers.1.issuer'],
    ['another kind', [tokens({ kind: 'robots' })], 'issuers.0.tokens.kind'],
    ['no kind', [{ ...entry, tokens: null }], 'issuers.0.tokens.kind'],
    ['a field of the other kind', [{ ...entry, tokens: { kind: 'clients', amr: [] } }], 'issuers.0.tokens.amr'],
    ['clients of no kind', [{ ...entry, tokens: { kind: 'clients', as: ['root'] } }], 'issuers.0.tokens.as'],
    ['people as members', [tokens({ as: 'member' })], 'issuers.0.tokens.as'],
    ['no claim for names', [tokens({ nameClaim: '' })], 'issuers.0.tokens.nameClaim'],
    ['no claim for roles', [tokens({ rolesClaim: 5 })], 'issuers.0.tokens.rolesClaim'],
    ['no factor asked for', [tokens({ amr: [] })], 'issuers.0.tokens.amr'],
    ['no roles', [tokens({ roles: {} })], 'issuers.0.tokens.roles'],
    ['an unknown role', [tokens({ roles: { a: ['root'] } })], 'issuers.0.tokens.roles.a'],
    ['a role of the other kind', [tokens({ roles: { a: ['regulator'] } })], 'issuers.0.tokens.roles.a'],
  ])('is refused with %s, by its path', (_what, value, where) => {
    const message = expect.stringMatching(/^OAUTH_ISSUERS_FILE: /);
    expect(() => checkIssuers(value, true)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', where, message }),
    );
  });
});

describe('a person of an external issuer', () => {
  const claims = { sub: '42', preferred_username: 'kim', groups: ['hub desk', 'else'], amr: ['pwd', 'mfa'] };
  const person = (change: object = {}) => externalPerson('alliance', people, { ...claims, ...change });

  it('acts under a name that no registered person has, with the roles that the map gives', () => {
    expect(person()).toEqual({ kind: 'staff', name: 'alliance/kim', roles: ['staff_operator', 'auditor'] });
    const both = person({ groups: ['hub desk', 'hub authors', 'hub desk'] });
    expect(both).toMatchObject({ roles: ['staff_operator', 'auditor', 'staff_author'] });
    const words = { ...people, roles: { author: people.roles['hub authors']! } };
    expect(externalPerson('alliance', words, { ...claims, groups: 'x author' })).toMatchObject({
      roles: ['staff_author'],
    });
  });

  it('is told apart from everybody whose name is mapped to the same', () => {
    const names = [
      { preferred_username: 'kim.lee', sub: '1' },
      { preferred_username: 'kim.lee', sub: '2' },
      { preferred_username: 'kim@lee', sub: '3' },
      { preferred_username: 'Kim-Lee', sub: '4' },
      { preferred_username: 'kim-lee', sub: '5' },
    ].map((change) => (person(change) as { name: string }).name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^alliance\/kim-lee(~[0-9a-f]{8})?$/);
  });

  it.each<[string, object, string]>([
    ['without a second factor', { amr: ['pwd'] }, 'amr'],
    ['without any amr', { amr: undefined }, 'amr'],
    ['with amr as a text that holds it', { amr: 'mfa' }, 'amr'],
    ['without name', { preferred_username: undefined }, 'name'],
    ['with a name out of the alphabet', { preferred_username: '김' }, 'name'],
    ['with a name that would look like another’s', { preferred_username: 'alliance/kim' }, 'name'],
    ['with a name without end', { preferred_username: 'a'.repeat(32) }, 'name'],
    ['without roles', { groups: undefined }, 'roles'],
    ['with roles that are not on the map', { groups: ['toString', 'root'] }, 'roles'],
  ])('gets in nowhere %s', (_what, change, fault) => {
    expect(person(change)).toBe(fault);
  });
});
