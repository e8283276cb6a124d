import { registerEnumType } from '@nestjs/graphql';
import { DECLINE_REASONS, LEGAL_BASES, OUTCOMES, PURPOSES, RUNGS, TOKEN_KINDS } from '@app/protocol';
import { RECOMMENDATION_STATES } from '@app/recommendations';
import { EPOCH_STATES, ERASURE_KINDS, ERASURE_STATES } from '@app/signals';

/** GraphQL's upper-case names for the vocabulary's words. */
function enumOf<T extends string>(words: readonly T[]): Record<string, T> {
  return Object.fromEntries(words.map((word) => [word.toUpperCase(), word]));
}

export const RungEnum = enumOf(RUNGS);
export const RungOrNoneEnum = enumOf(['none', ...RUNGS]);
export const OutcomeEnum = enumOf(OUTCOMES);
export const DeclineReasonEnum = enumOf(DECLINE_REASONS);
export const PurposeEnum = enumOf(PURPOSES);
export const LegalBasisEnum = enumOf(LEGAL_BASES);
export const BatchStateEnum = enumOf(['stored', 'folded', 'withdrawn']);
export const BatchSectionEnum = { OBSERVATIONS: 'observations', ALLOW_ENTRIES: 'allowEntries', KEY_FACTS: 'keyFacts' };
export const RecommendationStateEnum = enumOf(RECOMMENDATION_STATES);
export const DeliveryMethodEnum = enumOf(['push', 'poll']);
export const ErasureKindEnum = enumOf(ERASURE_KINDS);
export const ErasureStateEnum = enumOf(ERASURE_STATES);
export const EpochStateEnum = enumOf(EPOCH_STATES);
export const TokenKindEnum = enumOf(TOKEN_KINDS);
export const MemberStateEnum = enumOf(['active', 'suspended', 'left']);

registerEnumType(RungEnum, { name: 'Rung', description: 'The ladder, lowest first.' });
registerEnumType(RungOrNoneEnum, { name: 'RungOrNone', description: 'A rung of the ladder, or none.' });
registerEnumType(OutcomeEnum, { name: 'Outcome', description: 'What a member did with a recommendation, or found.' });
registerEnumType(DeclineReasonEnum, { name: 'DeclineReason', description: 'Why a member declined.' });
registerEnumType(PurposeEnum, { name: 'Purpose', description: 'Why a batch is sent.' });
registerEnumType(LegalBasisEnum, { name: 'LegalBasis', description: 'On what basis a batch is sent.' });
registerEnumType(BatchStateEnum, {
  name: 'BatchState',
  description: 'STORED: durable. FOLDED: its observations stand. WITHDRAWN: taken back.',
});
registerEnumType(BatchSectionEnum, { name: 'BatchSection', description: 'The part of a batch that a row belongs to.' });
registerEnumType(RecommendationStateEnum, {
  name: 'RecommendationState',
  description: 'How far a recommendation has come.',
});
registerEnumType(DeliveryMethodEnum, { name: 'DeliveryMethod', description: 'PUSH: RFC 8935. POLL: RFC 8936.' });
registerEnumType(MemberStateEnum, { name: 'MemberState', description: 'A suspended member is refused at every door.' });
registerEnumType(ErasureKindEnum, { name: 'ErasureKind', description: 'What is erased. MEMBER: one that has left.' });
registerEnumType(ErasureStateEnum, { name: 'ErasureState', description: 'DONE: nothing is left but the receipt.' });
registerEnumType(EpochStateEnum, {
  name: 'EpochState',
  description: 'ACTIVE: the one to send in. CLOSING: late batches are still taken.',
});
registerEnumType(TokenKindEnum, { name: 'TokenKind', description: 'The five values that members blind.' });
