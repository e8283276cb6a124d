import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('standards')
export class StandardEntity {
  @PrimaryColumn('text')
  version: string;

  @Column('text')
  state: 'in_force' | 'superseded';

  @Column('timestamptz', { name: 'effective_from' })
  effectiveFrom: Date;

  @Column('text', { name: 'text_ko' })
  textKo: string;

  @Column('text', { name: 'text_en' })
  textEn: string;

  @Column('jsonb')
  policy: unknown;

  @Column('text', { name: 'content_hash' })
  contentHash: string;
}

/** For the data source of every process that uses this lib. */
export const STANDARD_ENTITIES = [StandardEntity];
