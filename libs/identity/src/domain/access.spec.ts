import { accessOf } from './access.js';
import { PERMISSIONS, type Operation } from './permissions.js';

describe('access', () => {
  it.each([
    ['member', 'standard.read', 'all'],
    ['member', 'signals.withdraw', 'own'],
    ['member', 'members.read', 'refused'],
    ['staff_operator', 'members.manage', 'all'],
    ['regulator', 'reports.read', 'all'],
    ['staff_operator', 'audit.read', 'refused'],
  ] as const)('of %s to %s is: %s', (role, operation, access) => {
    expect(accessOf(role, operation)).toBe(access);
  });

  it('of a member is never to all, but for the standard, the epochs and the warning lists', () => {
    const all = (Object.keys(PERMISSIONS) as Operation[]).filter((o) => accessOf('member', o) === 'all');
    expect(all).toEqual(['standard.read', 'epochs.read', 'lists.read']);
  });
});
