import type { DeclineReason, OutcomeKind } from '@app/protocol';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('outcomes')
export class OutcomeEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' })
  id: string;

  @Column('uuid', { name: 'recommendation_id' })
  recommendationId: string;

  @Column('integer', { name: 'member_id' })
  memberId: number;

  @Column('text')
  outcome: OutcomeKind;

  @Column('text', { nullable: true })
  reason: DeclineReason | null;

  @Column('text', { nullable: true })
  note: string | null;

  /** When it happened, by the member's word; and when the hub heard of it. */
  @Column('timestamptz')
  at: Date;

  @Column('timestamptz', { name: 'reported_at' })
  reportedAt: Date;
}
