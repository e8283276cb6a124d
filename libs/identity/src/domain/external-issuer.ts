import { createHash } from 'node:crypto';
import { BongsuError } from '@app/protocol';
import { CLIENT_KINDS, NAME_PATTERN, type ClientKind } from './client-id.js';
import { isPersonRole, rolesAs, type PersonRole } from './roles.js';

/** Somebody else's authorization server, whose access tokens (RFC 9068) the hub takes beside its own. */
export interface ExternalIssuer {
  /** What it is called here: it stands before the names of its people. Alphabet of names. */
  name: string;
  /** Its `iss`. */
  issuer: string;
  /** Where its public keys are. */
  jwksUri: string;
  /** What its tokens are for: our registered clients, or its own people. */
  tokens: ClientsMapping | PeopleMapping;
}

/** Which of our registered clients an issuer may speak for. */
export interface ClientsMapping {
  kind: 'clients';
  /** Kinds of client id; members alone where the file says nothing. */
  as: ClientKind[];
}

/** How an issuer's people become ours. */
export interface PeopleMapping {
  kind: 'people';
  /** What all of them act as. */
  as: 'staff' | 'regulator';
  /** The claim that names the person. */
  nameClaim: string;
  /** The claim with its roles: a list, or words separated by spaces. */
  rolesClaim: string;
  /** Its roles to ours. */
  roles: Record<string, PersonRole[]>;
  /** Values that `amr` must hold (RFC 8176), all of them. */
  amr: string[];
}

/** Who a token of an issuer's person speaks for. */
export interface ExternalPerson {
  kind: 'staff' | 'regulator';
  /** `issuer/name`: no registered name has a slash, so nobody is taken for another. */
  name: string;
  roles: PersonRole[];
}

/**
 * Checks the file of external issuers: a list of {@link ExternalIssuer}.
 * @param production refuses addresses without TLS, which elsewhere are allowed on the loopback
 * @throws {BongsuError} CONFIG_INVALID with the path of what does not fit
 */
export function checkIssuers(value: unknown, production: boolean): ExternalIssuer[] {
  if (!Array.isArray(value)) throw invalid('issuers', 'needs a list of {name, issuer, jwksUri, tokens}.');
  const issuers = value.map((entry: unknown, index) => checkIssuer(entry, `issuers.${index}`, production));
  for (const key of ['name', 'issuer'] as const)
    issuers.forEach((entry, index) => {
      if (issuers.findIndex((other) => other[key] === entry[key]) < index)
        throw invalid(`issuers.${index}.${key}`, 'is that of an earlier entry.');
    });
  return issuers;
}

function checkIssuer(value: unknown, where: string, production: boolean): ExternalIssuer {
  const { name, issuer, jwksUri, tokens } = fieldsOf(value, where, ['name', 'issuer', 'jwksUri', 'tokens']);
  if (typeof name !== 'string' || !NAME_PATTERN.test(name))
    throw invalid(`${where}.name`, 'needs 2 to 31 lower-case letters, digits and hyphens, a letter first.');
  return {
    name,
    issuer: checkUrl(issuer, `${where}.issuer`, production),
    jwksUri: checkUrl(jwksUri, `${where}.jwksUri`, production),
    tokens: checkTokens(tokens, `${where}.tokens`),
  };
}

function checkTokens(value: unknown, where: string): ExternalIssuer['tokens'] {
  const { kind } = (value ?? {}) as { kind?: unknown };
  if (kind === 'clients') {
    const { as = ['member'] } = fieldsOf(value, where, ['kind', 'as']);
    if (!Array.isArray(as) || as.length === 0 || !as.every((kindOf) => CLIENT_KINDS.some((k) => k === kindOf)))
      throw invalid(`${where}.as`, `needs a list of ${CLIENT_KINDS.join(', ')}.`);
    return { kind, as: as as ClientKind[] };
  }
  if (kind !== 'people') throw invalid(`${where}.kind`, 'needs clients or people.');
  const { as, nameClaim, rolesClaim, roles, amr } = fieldsOf(value, where, [
    'kind',
    'as',
    'nameClaim',
    'rolesClaim',
    'roles',
    'amr',
  ]);
  if (as !== 'staff' && as !== 'regulator') throw invalid(`${where}.as`, 'needs staff or regulator.');
  if (!isText(nameClaim)) throw invalid(`${where}.nameClaim`, 'needs the name of a claim.');
  if (!isText(rolesClaim)) throw invalid(`${where}.rolesClaim`, 'needs the name of a claim.');
  if (!Array.isArray(amr) || amr.length === 0 || !amr.every(isText))
    throw invalid(`${where}.amr`, 'needs the amr values that a sign-in must have, at least one.');
  return { kind, as, nameClaim, rolesClaim, roles: checkRoles(roles, `${where}.roles`, as), amr };
}

function checkRoles(value: unknown, where: string, as: 'staff' | 'regulator'): Record<string, PersonRole[]> {
  const entries = Object.entries(typeof value === 'object' && !Array.isArray(value) ? (value ?? {}) : {});
  if (entries.length === 0) throw invalid(where, 'needs an object: a role of theirs to a list of ours.');
  for (const [theirs, ours] of entries)
    if (
      !Array.isArray(ours) ||
      ours.length === 0 ||
      !ours.every(isPersonRole) ||
      rolesAs(as, ours).length < ours.length
    )
      throw invalid(`${where}.${theirs}`, `needs a list of roles that ${as} can have.`);
  return Object.fromEntries(entries) as Record<string, PersonRole[]>;
}

function checkUrl(value: unknown, where: string, production: boolean): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  const local = url?.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (!url || url.username || url.hash || (url.protocol !== 'https:' && !(local && !production)))
    throw invalid(where, production ? 'needs an https URL.' : 'needs an https URL, or http on the loopback.');
  return value as string;
}

function fieldsOf(value: unknown, where: string, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(where, `needs an object with ${names.join(', ')}.`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`${where}.${unknown}`, `is not known here; known are ${names.join(', ')}.`);
  return value as Record<string, unknown>;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/**
 * Who a token speaks for, of an issuer whose tokens are for people.
 * @param claims verified
 * @returns the person, or why the token opens nothing
 */
export function externalPerson(
  issuerName: string,
  mapping: PeopleMapping,
  claims: Record<string, unknown>,
): ExternalPerson | 'amr' | 'name' | 'roles' {
  const { amr } = claims;
  if (!Array.isArray(amr) || !mapping.amr.every((needed) => amr.includes(needed))) return 'amr';
  const name = personName(claims[mapping.nameClaim], claims['sub']);
  if (name === null) return 'name';
  const held = claims[mapping.rolesClaim];
  const theirs: unknown[] = typeof held === 'string' ? held.split(' ') : Array.isArray(held) ? held : [];
  const ours = theirs.flatMap((role) =>
    typeof role === 'string' && Object.hasOwn(mapping.roles, role) ? mapping.roles[role]! : [],
  );
  if (ours.length === 0) return 'roles';
  return { kind: mapping.as, name: `${issuerName}/${name}`, roles: [...new Set(ours)] };
}

/**
 * A claimed name in the alphabet of names. Where letters had to give way (capitals, the dots and the @ of an address), two
 * people could end with one name: the first digits of the subject's hash then tell them apart.
 * @returns null where nothing fits
 */
function personName(claimed: unknown, subject: unknown): string | null {
  if (typeof claimed !== 'string' || typeof subject !== 'string') return null;
  const mapped = claimed.toLowerCase().replace(/[._@]/g, '-');
  if (!NAME_PATTERN.test(mapped)) return null;
  if (mapped === claimed) return mapped;
  return `${mapped}~${createHash('sha256').update(subject).digest('hex').slice(0, 8)}`;
}

function invalid(where: string, rest: string): BongsuError {
  return new BongsuError('CONFIG_INVALID', `OAUTH_ISSUERS_FILE: ${where} ${rest}`, where);
}
