import { BongsuError, checkEndpoint, refuseDevelopment } from '@app/protocol';
import { NAME_PATTERN } from './client-id.js';
import { checkPublicJwk, type PublicJwk } from './public-jwk.js';

/** `active`; `suspended`: refused at every door until reinstated; `left`: gone for good. */
export type MemberState = 'active' | 'suspended' | 'left';

/** How events reach a member: pushed to its endpoint (RFC 8935), or fetched by it (RFC 8936). */
export type DeliveryMethod = 'push' | 'poll';

/** Whom to call at a member. */
export interface Contact {
  name: string;
  email: string;
}

/** A member's key before its present one. */
export interface PreviousKey {
  jwk: PublicJwk;
  /** Until when it still signs in. */
  until: Date;
}

/** A member exchange. */
export interface Member {
  id: number;
  /** What its client id, its raw data's folder and its audience carry: `upbit`. */
  name: string;
  state: MemberState;
  /** What it signs assertions with; the private part never leaves it. */
  jwk: PublicJwk;
  /** Null where it never rotated its key, or staff replaced it. */
  previousKey: PreviousKey | null;
  deliveryMethod: DeliveryMethod;
  /** Where events are pushed; null for poll. */
  endpointUrl: string | null;
  contacts: Contact[];
  createdAt: Date;
}

/** What staff hand in to register a member. */
export interface NewMember {
  name: string;
  jwk: unknown;
  delivery: {
    method: DeliveryMethod;
    /** For push: where. */
    endpointUrl?: string | null | undefined;
    /** For push: the value of the `Authorization` header that the endpoint wants. A secret. */
    authorization?: string | null | undefined;
  };
  contacts?: Contact[] | null | undefined;
}

/** A new member, checked. */
export type CheckedMember = Pick<Member, 'name' | 'jwk' | 'deliveryMethod' | 'endpointUrl' | 'contacts'> & {
  authorization: string | null;
};

const LONGEST_AUTHORIZATION = 4096;
const MOST_CONTACTS = 20;

/**
 * Checks what staff hand in.
 * @param production refuses endpoints without TLS, which elsewhere are allowed on the loopback, and keys that were made
 *   for development
 * @param allowPrivate private ranges in which endpoints may lie, CIDR notation
 * @throws {BongsuError} BAD_INPUT with the argument concerned
 */
export function checkNewMember(
  input: NewMember,
  production: boolean,
  allowPrivate: readonly string[] = [],
): CheckedMember {
  if (!NAME_PATTERN.test(input.name))
    throw bad('name', 'needs 2 to 31 lower-case letters, digits and hyphens, a letter first.');
  if (production) refuseDevelopment(input.jwk, 'jwk', 'have the member make a key of its own', 'BAD_INPUT');
  const jwk = checkPublicJwk(input.jwk, 'jwk');
  const contacts = checkContacts(input.contacts ?? []);
  const { method, endpointUrl, authorization } = input.delivery;
  if (method === 'poll') {
    if (endpointUrl || authorization)
      throw bad('delivery.endpointUrl', 'is for push only: a member that polls has no endpoint. Leave it out.');
    return { name: input.name, jwk, deliveryMethod: 'poll', endpointUrl: null, contacts, authorization: null };
  }
  if (method !== 'push') throw bad('delivery.method', 'needs push or poll.');
  return {
    name: input.name,
    jwk,
    deliveryMethod: 'push',
    endpointUrl: endpointOf(endpointUrl ?? '', production, allowPrivate),
    contacts,
    authorization: checkAuthorization(authorization ?? ''),
  };
}

/** @returns the URL in its canonical form: what is registered is what is called */
function endpointOf(text: string, production: boolean, allowPrivate: readonly string[]): string {
  const url = checkEndpoint(text, { production, allowPrivate });
  if (typeof url === 'string') throw bad('delivery.endpointUrl', url);
  return url.toString();
}

/** A header's value: printable ASCII (RFC 9110), so that it cannot end the header. */
function checkAuthorization(text: string): string {
  if (!/^[\x21-\x7e][\x20-\x7e]*$/.test(text) || text.length > LONGEST_AUTHORIZATION)
    throw bad('delivery.authorization', 'needs the value of the Authorization header that the endpoint wants.');
  return text;
}

function checkContacts(contacts: Contact[]): Contact[] {
  if (contacts.length > MOST_CONTACTS) throw bad('contacts', `has more than ${MOST_CONTACTS} entries.`);
  return contacts.map(({ name, email }, index) => {
    if (typeof name !== 'string' || !name.trim() || name.length > 100)
      throw bad(`contacts.${index}.name`, 'needs 1 to 100 characters.');
    if (typeof email !== 'string' || !/^[^\s@]+@[^\s@]+$/.test(email) || email.length > 254)
      throw bad(`contacts.${index}.email`, 'needs an e-mail address.');
    return { name: name.trim(), email };
  });
}

function bad(where: string, rest: string): BongsuError {
  return new BongsuError('BAD_INPUT', `${where} ${rest}`, where);
}
