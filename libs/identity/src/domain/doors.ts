import type { ClientKind } from './client-id.js';

/** What a token may be used for: the API, and reading or managing one's own event stream. */
export const SCOPES = ['graphql', 'ssf.read', 'ssf.manage'] as const;
export type Scope = (typeof SCOPES)[number];

/** Longest life of an access token, seconds. */
export const TOKEN_LIFE_S = 600;

/** Where tokens are asked for, below the issuer. */
export const TOKEN_PATH = '/oauth/token';

/**
 * The two doors that take access tokens, each an audience of its own. At `graphql` tokens are bound to the caller's key
 * (RFC 9449); receivers of shared signals bring plain bearer tokens.
 */
export interface Door {
  /** Below the issuer: together they are the audience of the door's tokens. */
  path: '/graphql' | '/ssf';
  /** Scheme of the `Authorization` header. */
  scheme: 'DPoP' | 'Bearer';
  /** One of them is needed. */
  scopes: readonly Scope[];
  /** Who gets tokens for it. */
  kinds: readonly ClientKind[];
}

export const GRAPHQL_DOOR: Door = {
  path: '/graphql',
  scheme: 'DPoP',
  scopes: ['graphql'],
  kinds: ['member', 'staff', 'regulator'],
};
export const SSF_DOOR: Door = { path: '/ssf', scheme: 'Bearer', scopes: ['ssf.read', 'ssf.manage'], kinds: ['member'] };
export const DOORS: readonly Door[] = [GRAPHQL_DOOR, SSF_DOOR];

/** Scopes that a kind of client may ask for. */
export function scopesOf(kind: ClientKind): Scope[] {
  return DOORS.filter((door) => door.kinds.includes(kind)).flatMap((door) => door.scopes);
}

/**
 * The door and the scopes of a token request.
 * @param asked the request's `scope`, separated by spaces; none = `graphql`
 * @returns null where a scope is unknown, not for that kind, or of another door than the others: a token opens one door
 */
export function requestedDoor(kind: ClientKind, asked: string | undefined): { door: Door; scopes: Scope[] } | null {
  const words = [...new Set((asked ?? '').split(' ').filter(Boolean))];
  const wanted: readonly string[] = words.length === 0 ? GRAPHQL_DOOR.scopes : words;
  const door = DOORS.find((d) => d.kinds.includes(kind) && wanted.every((word) => d.scopes.some((s) => s === word)));
  return door ? { door, scopes: door.scopes.filter((scope) => wanted.includes(scope)) } : null;
}

/** The `WWW-Authenticate` challenge of a door: how to come, never what was wrong. */
export function challengeOf(door: Door): string {
  return door.scheme === 'DPoP' ? 'DPoP algs="ES256 EdDSA"' : 'Bearer';
}
