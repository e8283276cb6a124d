import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Principal } from '@app/infrastructure/database';
import { thumbprint } from '@app/keys';
import { CLIENT_KINDS } from './domain/client-id.js';
import { ClientDirectory, GATE } from './client-directory.service.js';
import { checkPeople, type ListedPerson, type Person } from './domain/person.js';
import { sameKey } from './domain/public-jwk.js';
import { PersonRepository } from './person.repository.js';

/** Staff and regulators, from the file of people that the alliance keeps. */
@Injectable()
export class People {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly people: PersonRepository,
    private readonly clients: ClientDirectory,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Brings the people known to what the file says, at start: it is the whole list, so who is no longer in it is
   * suspended. Safe to repeat; only changes are recorded.
   * @param list the file's content, not yet checked: `[{name, roles, jwk}]`
   * @throws {BongsuError} CONFIG_INVALID with the entry concerned
   */
  async bootstrap(list: unknown): Promise<void> {
    const listed = checkPeople(list);
    const changed: string[] = [];
    await this.database.transaction(GATE, async (tx) => {
      const known = await this.people.list(tx);
      const createdAt = new Date(this.clock.now());
      const gone = known.filter((person) => !listed.some((entry) => entry.name === person.name));
      const wanted: Omit<Person, 'id'>[] = [
        ...listed.map((entry) => ({ ...entry, state: 'active' as const, createdAt })),
        ...gone.map((person) => ({ ...person, state: 'suspended' as const })),
      ];
      for (const { name, roles, jwk, state, createdAt } of wanted) {
        const before = known.find((person) => person.name === name);
        if (before && before.state === state && sameListing(before, { name, roles, jwk })) continue;
        await this.people.put(tx, { name, roles, jwk, state, createdAt });
        await this.audit.record(tx, {
          actor: principalName(GATE),
          action: !before ? 'person.added' : state === 'suspended' ? 'person.suspended' : 'person.changed',
          subject: `person:${name}`,
          before: before && summary(before),
          after: summary({ roles, jwk, state }),
        });
        changed.push(name);
      }
    });
    for (const name of changed) for (const kind of CLIENT_KINDS) this.clients.forget({ kind, name });
  }

  /** @returns null for who is unknown, or not to be seen by the principal */
  byName(by: Principal, name: string): Promise<Person | null> {
    return this.database.transaction(by, (tx) => this.people.byName(tx, name));
  }

  /** All people that the principal may see, by name. */
  list(by: Principal): Promise<Person[]> {
    return this.database.transaction(by, (tx) => this.people.list(tx));
  }
}

function sameListing(a: ListedPerson, b: ListedPerson): boolean {
  return sameKey(a.jwk, b.jwk) && [...a.roles].sort().join() === [...b.roles].sort().join();
}

function summary({ roles, jwk, state }: Pick<Person, 'roles' | 'jwk' | 'state'>): Record<string, unknown> {
  return { roles, key: thumbprint(jwk), state };
}
