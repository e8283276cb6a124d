import type { ExternalIssuer } from './domain/external-issuer.js';

/** What an app tells this lib. */
export abstract class IdentityOptions {
  /** The hub's issuer URL, without a slash at its end. Asked at each use: a hub on a free port learns it late. */
  abstract issuer: () => string;
  /** Refuses what only development may do, as endpoints without TLS. */
  abstract production: boolean;
  /** Private ranges in which members' endpoints may lie, CIDR notation; none unless given. */
  abstract pushAllowPrivate?: readonly string[];
  /** Whose access tokens are taken beside the hub's own; none where it is left out. */
  issuers?: readonly ExternalIssuer[];
}
