import { BongsuError } from '@app/protocol';
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

/** A member exchange. */
export interface Member {
  id: number;
  /** What its client id, its raw data's folder and its audience carry: `upbit`. */
  name: string;
  state: MemberState;
  /** What it signs assertions with; the private part never leaves it. */
  jwk: PublicJwk;
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

const LONGEST_URL = 2000;
const LONGEST_AUTHORIZATION = 4096;
const MOST_CONTACTS = 20;

/**
 * Checks what staff hand in.
 * @param production refuses endpoints without TLS, which elsewhere are allowed on the loopback
 * @throws {BongsuError} BAD_INPUT with the argument concerned
 */
export function checkNewMember(input: NewMember, production: boolean): CheckedMember {
  if (!NAME_PATTERN.test(input.name))
    throw bad('name', 'needs 2 to 31 lower-case letters, digits and hyphens, a letter first.');
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
    endpointUrl: checkEndpoint(endpointUrl ?? '', production),
    contacts,
    authorization: checkAuthorization(authorization ?? ''),
  };
}

function checkEndpoint(text: string, production: boolean): string {
  const where = 'delivery.endpointUrl';
  const url = URL.canParse(text) && text.length <= LONGEST_URL ? new URL(text) : null;
  if (!url) throw bad(where, 'needs a URL.');
  if (url.username || url.password) throw bad(where, 'must not carry a user name or password: use authorization.');
  if (url.hash) throw bad(where, 'must not carry a fragment.');
  if (url.protocol === 'https:') return url.toString();
  if (url.protocol === 'http:' && !production && isLoopback(url.hostname)) return url.toString();
  throw bad(where, production ? 'needs https.' : 'needs https, or http on the loopback (127.0.0.1, ::1, localhost).');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
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
