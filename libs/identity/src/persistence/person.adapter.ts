import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/infrastructure/database';
import type { Person } from '../domain/person.js';
import { PersonRepository } from '../person.repository.js';
import { PersonEntity } from './entities.js';

@Injectable()
export class PersonAdapter extends PersonRepository {
  async put(tx: Tx, person: Omit<Person, 'id'>): Promise<void> {
    await tx
      .createQueryBuilder()
      .insert()
      .into(PersonEntity)
      .values(person)
      .orUpdate(['roles', 'jwk', 'state'], ['name'])
      .execute();
  }

  async byName(tx: Tx, name: string): Promise<Person | null> {
    const row = await tx.findOneBy(PersonEntity, { name });
    return row && toPerson(row);
  }

  async list(tx: Tx): Promise<Person[]> {
    return (await tx.find(PersonEntity, { order: { name: 'ASC' } })).map(toPerson);
  }
}

function toPerson({ id, name, roles, jwk, state, createdAt }: PersonEntity): Person {
  return { id, name, roles, jwk, state, createdAt };
}
