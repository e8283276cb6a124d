import type { ClientKind } from './client-id.js';

/** What a person may be. One person may hold several; author and approver of one change are never the same person. */
export const PERSON_ROLES = ['staff_author', 'staff_approver', 'staff_operator', 'auditor', 'regulator'] as const;
export type PersonRole = (typeof PERSON_ROLES)[number];

/** Every role that a token can carry. */
export type Role = 'member' | PersonRole;

/** Roles that a person acts in under each kind of client id: somebody with both kinds never has both at once. */
const ROLES_OF_KIND: Record<ClientKind, readonly Role[]> = {
  member: ['member'],
  staff: ['staff_author', 'staff_approver', 'staff_operator', 'auditor'],
  regulator: ['regulator'],
};

export function isPersonRole(value: unknown): value is PersonRole {
  return PERSON_ROLES.some((role) => role === value);
}

/** The roles among `held` that count under a kind of client id; none = may not sign in under it. */
export function rolesAs<R extends Role>(kind: ClientKind, held: readonly R[]): R[] {
  return held.filter((role) => ROLES_OF_KIND[kind].includes(role));
}
