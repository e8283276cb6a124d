import type { Tx } from '@app/infrastructure/database';
import type { Person } from './domain/person.js';
import { PersonRepository } from './person.repository.js';

export class FakePersonRepository extends PersonRepository {
  readonly people: Person[] = [];

  async put(_tx: Tx, person: Omit<Person, 'id'>): Promise<void> {
    const found = this.people.find((p) => p.name === person.name);
    if (found) Object.assign(found, { roles: person.roles, jwk: person.jwk, state: person.state });
    else this.people.push({ ...person, id: this.people.length + 1 });
  }

  async byName(_tx: Tx, name: string): Promise<Person | null> {
    return this.people.find((p) => p.name === name) ?? null;
  }

  async list(): Promise<Person[]> {
    return [...this.people].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
