import fc from 'fast-check';
import { clientIdText, CLIENT_KINDS, parseClientId } from './client-id.js';
import { mayDo, PERMISSIONS, requirePermission, type Operation } from './permissions.js';
import { PERSON_ROLES, rolesAs, type Role } from './roles.js';

const ROLES: Role[] = ['member', ...PERSON_ROLES];
const OPERATIONS = Object.keys(PERMISSIONS) as Operation[];

describe('permissions', () => {
  it('let a member do these things and no others', () => {
    expect(OPERATIONS.filter((operation) => mayDo(['member'], operation))).toEqual([
      'standard.read',
      'signals.submit',
      'signals.withdraw',
      'signals.erase',
      'erasures.read',
      'signals.read',
      'epochs.read',
      'epochs.reenroll',
      'recommendations.read',
      'outcomes.report',
      'events.receive',
      'lists.read',
      'members.rotate_key',
    ]);
  });

  it('let a regulator read the standard, the epochs and reports', () => {
    expect(OPERATIONS.filter((operation) => mayDo(['regulator'], operation))).toEqual([
      'standard.read',
      'epochs.read',
      'reports.read',
    ]);
  });

  it('let only operators register members, and only auditors read the audit', () => {
    expect(ROLES.filter((role) => mayDo([role], 'members.manage'))).toEqual(['staff_operator']);
    expect(ROLES.filter((role) => mayDo([role], 'audit.read'))).toEqual(['auditor']);
  });

  it('let members and staff read warning lists, and operators write them', () => {
    expect(ROLES.filter((role) => !mayDo([role], 'lists.read'))).toEqual(['regulator']);
    expect(ROLES.filter((role) => mayDo([role], 'lists.manage'))).toEqual(['staff_operator']);
  });

  it('let nobody without a role do anything, and refuse with a stable code', () => {
    for (const operation of OPERATIONS)
      expect(() => requirePermission({ roles: [] }, operation)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  });

  it('name roles that exist', () => {
    for (const operation of OPERATIONS) for (const role of PERMISSIONS[operation]) expect(ROLES).toContain(role);
  });
});

describe('roles', () => {
  it('count under one kind of client id each', () => {
    for (const role of ROLES) expect(CLIENT_KINDS.filter((kind) => rolesAs(kind, [role]).length > 0)).toHaveLength(1);
  });
});

describe('client ids', () => {
  it.each(['member:upbit', 'staff:kim', 'regulator:fss-2'])('%s', (text) => {
    expect(clientIdText(parseClientId(text)!)).toBe(text);
  });

  it.each([
    'upbit',
    'gate:identity',
    'job:fold',
    'member:',
    'member:Upbit',
    'member:upbit:x',
    ' member:upbit',
    5,
    null,
  ])('are not %j', (text) => {
    expect(parseClientId(text)).toBeNull();
  });

  it('are read back as they are written, or not at all', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...CLIENT_KINDS), (name, kind) => {
        const id = parseClientId(`${kind}:${name}`);
        if (id) expect(clientIdText(id)).toBe(`${kind}:${name}`);
      }),
    );
  });
});
