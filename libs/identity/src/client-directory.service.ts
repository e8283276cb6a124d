import { Injectable } from '@nestjs/common';
import { Database, type Principal } from '@app/infrastructure/database';
import { TimedCache } from '@app/keys';
import type { Caller } from './caller.js';
import { clientIdText, type ClientId } from './domain/client-id.js';
import type { Member } from './domain/member.js';
import type { PublicJwk } from './domain/public-jwk.js';
import { rolesAs, type Role } from './domain/roles.js';
import { MemberRepository } from './member.repository.js';
import { PersonRepository } from './person.repository.js';

/** A client that may sign in: known, active, and with at least one role under its kind. */
export interface Client {
  id: string;
  principal: Caller['principal'];
  /** Public keys that its assertions may be signed with. */
  keys: PublicJwk[];
  roles: Role[];
}

/** In whose name accounts are read before it is known who calls. */
export const GATE: Principal = { kind: 'gate', name: 'identity' };

/** How long a suspension in another process may go unseen, ms. */
const STATE_LIFE_MS = 2000;

/** Clients by their id, members and people alike. */
@Injectable()
export class ClientDirectory {
  private readonly clients = new TimedCache<string, Client | null>(STATE_LIFE_MS);

  constructor(
    private readonly database: Database,
    private readonly members: MemberRepository,
    private readonly people: PersonRepository,
  ) {}

  /** @returns null for an unknown, suspended or role-less client; up to two seconds old */
  find(id: ClientId): Promise<Client | null> {
    const text = clientIdText(id);
    return this.clients.get(text, () =>
      this.database.transaction(GATE, async (tx) => {
        if (id.kind === 'member') {
          const member = await this.members.byName(tx, id.name);
          if (member?.state !== 'active') return null;
          const principal = { kind: 'member' as const, memberId: member.id, name: member.name };
          return { id: text, principal, keys: keysOf(member), roles: ['member'] };
        }
        const person = await this.people.byName(tx, id.name);
        const roles = person?.state === 'active' ? rolesAs(id.kind, person.roles) : [];
        if (!person || roles.length === 0) return null;
        return { id: text, principal: { kind: id.kind, name: person.name }, keys: [person.jwk], roles };
      }),
    );
  }

  /** Forgets a client that has just changed here. */
  forget(id: ClientId): void {
    this.clients.forget(clientIdText(id));
  }
}

/** The keys that a member signs in with: its present one, and for a while the one before. */
function keysOf({ jwk, previousKey }: Member): PublicJwk[] {
  return previousKey && previousKey.until.getTime() > Date.now() ? [jwk, previousKey.jwk] : [jwk];
}
