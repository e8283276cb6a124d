import type { Tx } from '@app/infrastructure/database';
import type { Person } from './domain/person.js';

/** People, seen by the gate and by staff. */
export abstract class PersonRepository {
  /** Adds, or replaces roles, key and state of who has that name. */
  abstract put(tx: Tx, person: Omit<Person, 'id'>): Promise<void>;
  abstract byName(tx: Tx, name: string): Promise<Person | null>;
  /** All, by name. */
  abstract list(tx: Tx): Promise<Person[]>;
}
