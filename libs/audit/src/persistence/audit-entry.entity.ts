import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Plain } from '../domain/recordable.js';

@Entity('audit_log')
export class AuditEntryEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' })
  id: string;

  /** The transaction that wrote the row (xid8): ids are given before a commit, so they alone do not order reading. */
  @Column('text')
  xact: string;

  @Column('timestamptz')
  at: Date;

  @Column('text')
  actor: string;

  @Column('text')
  action: string;

  @Column('text')
  subject: string;

  @Column('text', { name: 'from_address', nullable: true })
  from: string | null;

  @Column('text', { name: 'request_id', nullable: true })
  requestId: string | null;

  @Column('jsonb', { nullable: true })
  before: Record<string, Plain> | null;

  @Column('jsonb', { nullable: true })
  after: Record<string, Plain> | null;

  @Column('jsonb')
  detail: Record<string, Plain>;
}

/** For the data source of every process that uses this lib. */
export const AUDIT_ENTITIES = [AuditEntryEntity];
