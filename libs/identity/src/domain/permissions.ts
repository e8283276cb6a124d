import { BongsuError } from '@app/protocol';
import type { Role } from './roles.js';

const ANYONE: readonly Role[] = ['member', 'staff_author', 'staff_approver', 'staff_operator', 'auditor', 'regulator'];
const STAFF: readonly Role[] = ['staff_author', 'staff_approver', 'staff_operator', 'auditor'];

/**
 * Which roles may do what. Each door names the operation it serves; whose rows it then sees is decided again by the
 * database's row-level security.
 */
export const PERMISSIONS = {
  'standard.read': ANYONE,
  'signals.submit': ['member'],
  'signals.withdraw': ['member'],
  'signals.erase': ['member'],
  'erasures.read': ['member', ...STAFF],
  'signals.read': ['member', ...STAFF],
  'epochs.read': ANYONE,
  'epochs.manage': ['staff_operator'],
  'epochs.reenroll': ['member'],
  'recommendations.read': ['member', ...STAFF],
  'outcomes.report': ['member'],
  'events.receive': ['member'],
  'lists.read': ['member', ...STAFF],
  'lists.manage': ['staff_operator'],
  'members.read': STAFF,
  'members.manage': ['staff_operator'],
  'members.rotate_key': ['member'],
  'people.read': STAFF,
  'keys.read': STAFF,
  'keys.manage': ['staff_operator'],
  'overview.read': STAFF,
  'reports.read': ['staff_author', 'staff_approver', 'staff_operator', 'auditor', 'regulator'],
  'reports.close': ['staff_operator'],
  'audit.read': ['auditor'],
} as const satisfies Record<string, readonly Role[]>;

/** Something that a role may do; {@link PERMISSIONS}. */
export type Operation = keyof typeof PERMISSIONS;

export function mayDo(roles: readonly Role[], operation: Operation): boolean {
  const allowed: readonly Role[] = PERMISSIONS[operation];
  return roles.some((role) => allowed.includes(role));
}

/** @throws {BongsuError} FORBIDDEN */
export function requirePermission(caller: { roles: readonly Role[] }, operation: Operation): void {
  if (!mayDo(caller.roles, operation)) throw new BongsuError('FORBIDDEN', 'Your role may not do this.');
}
