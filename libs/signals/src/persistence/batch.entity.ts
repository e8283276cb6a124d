import type { LegalBasis, Purpose, Rejection } from '@app/protocol';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { BatchNote, BatchState } from '../domain/batch.js';

/** A stored batch. `bigint` columns arrive as text; sequence numbers fit a double by the check at the door. */
@Entity('batches')
export class BatchEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' })
  id: string;

  @Column('integer', { name: 'member_id' })
  memberId: number;

  @Column('uuid', { name: 'batch_id' })
  batchId: string;

  @Column('bigint')
  sequence: string;

  @Column('smallint')
  epoch: number;

  @Column('text')
  purpose: Purpose;

  @Column('text', { name: 'legal_basis' })
  legalBasis: LegalBasis;

  @Column('timestamptz', { name: 'received_at' })
  receivedAt: Date;

  /** SHA-256 of what was sent: tells a repeated batch from another one with the same id. */
  @Column('bytea', { name: 'content_hash' })
  contentHash: Buffer;

  /** The accepted rows in the compact form. */
  @Column('bytea', { select: false })
  payload: Buffer;

  /** Rows accepted, of all sections; and observations among them. */
  @Column('integer')
  accepted: number;

  @Column('integer')
  observations: number;

  @Column('integer')
  rejected: number;

  @Column('jsonb')
  rejections: Rejection[];

  @Column('jsonb', { default: [] })
  notes: BatchNote[];

  /** Days since 1970 of the earliest and latest observation. */
  @Column('integer', { name: 'first_day', nullable: true })
  firstDay: number | null;

  @Column('integer', { name: 'last_day', nullable: true })
  lastDay: number | null;

  /** The request that brought it: for logs. */
  @Column('text', { name: 'request_id', nullable: true })
  requestId: string | null;

  @Column('text')
  state: BatchState;

  @Column('timestamptz', { name: 'folded_at', nullable: true })
  foldedAt: Date | null;

  @Column('text', { name: 'withdraw_reason', nullable: true })
  withdrawReason: string | null;
}
