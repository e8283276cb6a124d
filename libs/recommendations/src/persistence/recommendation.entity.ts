import type { Bilingual, ReasonPayload } from '@app/protocol';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RecommendationState } from '../domain/recommendation.js';

@Entity('recommendations')
export class RecommendationEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column({ type: 'bigint', insert: false, update: false })
  cursor: string;

  @Column('integer', { name: 'member_id' })
  memberId: number;

  @Column('integer', { name: 'key_id' })
  keyId: number;

  @Column('bytea', { name: 'key_token' })
  keyToken: Buffer;

  /** 1 to 4 up the ladder. */
  @Column('smallint')
  rung: number;

  @Column('double precision')
  probability: number;

  @Column('text', { name: 'policy_version' })
  policyVersion: string;

  @Column('jsonb')
  reasons: ReasonPayload[];

  @Column('jsonb')
  explanation: Bilingual;

  @Column('jsonb', { name: 'customer_notice' })
  customerNotice: Bilingual;

  /** The assessment that it rests on, in exact figures: for the alliance, never read in a member's name. */
  @Column('jsonb', { nullable: true, select: false })
  evidence: object | null;

  @Column('timestamptz', { name: 'issued_at' })
  issuedAt: Date;

  @Column('timestamptz')
  deadline: Date;

  @Column('uuid', { nullable: true })
  supersedes: string | null;

  @Column('text')
  state: RecommendationState;

  @Column('timestamptz', { name: 'delivered_at', nullable: true })
  deliveredAt: Date | null;

  @Column('timestamptz', { name: 'acknowledged_at', nullable: true })
  acknowledgedAt: Date | null;

  @Column('timestamptz', { name: 'executed_at', nullable: true })
  executedAt: Date | null;

  @Column('timestamptz', { name: 'declined_at', nullable: true })
  declinedAt: Date | null;
}
