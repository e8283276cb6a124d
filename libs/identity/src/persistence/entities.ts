import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { Contact, DeliveryMethod, MemberState } from '../domain/member.js';
import type { PublicJwk } from '../domain/public-jwk.js';
import type { PersonRole } from '../domain/roles.js';

@Entity('members')
export class MemberEntity {
  @PrimaryGeneratedColumn('identity', { type: 'integer' })
  id: number;

  @Column('text')
  name: string;

  @Column('text')
  state: MemberState;

  @Column('jsonb')
  jwk: PublicJwk;

  @Column('jsonb', { name: 'previous_jwk', nullable: true })
  previousJwk: PublicJwk | null;

  @Column('timestamptz', { name: 'previous_until', nullable: true })
  previousUntil: Date | null;

  @Column('text', { name: 'delivery_method' })
  deliveryMethod: DeliveryMethod;

  @Column('text', { name: 'endpoint_url', nullable: true })
  endpointUrl: string | null;

  @Column('jsonb')
  contacts: Contact[];

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}

@Entity('member_endpoint_secrets')
export class MemberEndpointSecretEntity {
  @PrimaryColumn('integer', { name: 'member_id' })
  memberId: number;

  @Column('text', { name: 'authorization_header' })
  authorization: string;
}

@Entity('people')
export class PersonEntity {
  @PrimaryGeneratedColumn('identity', { type: 'integer' })
  id: number;

  @Column('text')
  name: string;

  @Column('text', { array: true })
  roles: PersonRole[];

  @Column('jsonb')
  jwk: PublicJwk;

  @Column('text')
  state: 'active' | 'suspended';

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}

@Entity('used_assertions')
export class UsedAssertionEntity {
  @PrimaryColumn('text', { name: 'client_id' })
  clientId: string;

  @PrimaryColumn('text')
  jti: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}

/** For the data source of every process that uses this lib. */
export const IDENTITY_ENTITIES = [MemberEntity, MemberEndpointSecretEntity, PersonEntity, UsedAssertionEntity];
