import { AuditEntryEntity } from '@app/audit';
import { IDENTITY_ENTITIES } from '@app/identity';
import { SigningKeyEntity } from '@app/keys';
import { OutcomeEntity, RecommendationEntity } from '@app/recommendations';
import { BatchEntity } from '@app/signals';
import { StandardEntity } from '@app/standard';

export const ENTITIES = [
  AuditEntryEntity,
  BatchEntity,
  OutcomeEntity,
  RecommendationEntity,
  SigningKeyEntity,
  StandardEntity,
  ...IDENTITY_ENTITIES,
];
