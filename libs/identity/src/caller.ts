import type { Principal } from '@app/infrastructure/database';
import type { Role } from './domain/roles.js';

/** What a token may be used for: the API, and reading or managing one's own event stream. */
export const SCOPES = ['graphql', 'ssf.read', 'ssf.manage'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who calls, as a verified access token says and the hub still agrees. */
export interface Caller {
  /** In whose name the caller's transactions run. */
  principal: Extract<Principal, { kind: 'member' | 'staff' | 'regulator' }>;
  /** `member:upbit`. */
  clientId: string;
  roles: Role[];
  scopes: Scope[];
}
