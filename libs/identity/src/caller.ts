import type { Principal } from '@app/infrastructure/database';
import type { Scope } from './domain/doors.js';
import type { Role } from './domain/roles.js';

/** Who calls, as a verified access token says and the hub still agrees. */
export interface Caller {
  /** In whose name the caller's transactions run. */
  principal: Extract<Principal, { kind: 'member' | 'staff' | 'regulator' }>;
  /** `member:upbit`. */
  clientId: string;
  roles: Role[];
  scopes: Scope[];
}
