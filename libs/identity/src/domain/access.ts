import { mayDo, type Operation } from './permissions.js';
import type { Role } from './roles.js';

/** What a role gets of an operation: of every member's rows, of its own alone, or nothing. */
export type Access = 'all' | 'own' | 'refused';

/** Operations on what is nobody's in particular: a member that may do them sees what everybody sees. */
const COMMON: readonly Operation[] = ['standard.read', 'lists.read', 'epochs.read'];

/** A member never reaches another's rows, whatever it may do. */
export function accessOf(role: Role, operation: Operation): Access {
  if (!mayDo([role], operation)) return 'refused';
  return role === 'member' && !COMMON.includes(operation) ? 'own' : 'all';
}
