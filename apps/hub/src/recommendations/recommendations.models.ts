import { Field, Float, ID, InputType, ObjectType } from '@nestjs/graphql';
import { type DeclineReason, encodeToken, type OutcomeKind, type Rung } from '@app/protocol';
import type { RecommendationState, RecommendationWithOutcomes } from '@app/recommendations';
import { DeclineReasonEnum, OutcomeEnum, RecommendationStateEnum, RungEnum } from '../graphql/enums.js';

@ObjectType('Reason', { description: 'One detector’s finding.' })
export class ReasonModel {
  @Field({ description: 'Detector code.' }) code: string;
  @Field(() => Float, { description: 'Natural-log units it added.' }) nats: number;
  @Field() textKo: string;
  @Field() textEn: string;
}

@ObjectType('Recommendation', {
  description: 'An assessment that rose to a rung, addressed to the member that holds the key.',
})
export class RecommendationModel {
  @Field(() => ID) id: string;
  @Field({
    description: 'The key’s token, base64url: the member that made it can resolve it. Empty once the key was erased.',
  })
  key: string;
  @Field(() => RungEnum) rung: Rung;
  @Field(() => RecommendationStateEnum) state: RecommendationState;
  @Field(() => Float, { description: 'Probability that the key is lent, two decimals.' }) probability: number;
  @Field() policyVersion: string;
  @Field(() => [ReasonModel]) reasons: ReasonModel[];
  @Field() explanationKo: string;
  @Field() explanationEn: string;
  @Field({ description: 'Fit to show the customer.' }) customerNoticeKo: string;
  @Field() customerNoticeEn: string;
  @Field() issuedAt: Date;
  @Field() deadline: Date;
  @Field(() => Date, { nullable: true }) deliveredAt: Date | null;
  @Field(() => Date, { nullable: true }) acknowledgedAt: Date | null;
  @Field(() => Date, { nullable: true }) executedAt: Date | null;
  @Field(() => ID, { nullable: true }) supersedes: string | null;
  @Field(() => OutcomeEnum, { nullable: true, description: 'The latest.' }) outcome: OutcomeKind | null;
  @Field(() => DeclineReasonEnum, { nullable: true }) outcomeReason: DeclineReason | null;
}

@ObjectType()
export class RecommendationEdge {
  @Field({ description: 'Monotonic: nothing that comes later has a lower one.' }) cursor: string;
  @Field(() => RecommendationModel) node: RecommendationModel;
}

@ObjectType()
export class PageInfo {
  @Field() hasNextPage: boolean;
  @Field(() => String, { nullable: true }) endCursor: string | null;
}

@ObjectType()
export class RecommendationConnection {
  @Field(() => [RecommendationEdge]) edges: RecommendationEdge[];
  @Field(() => PageInfo) pageInfo: PageInfo;
}

@InputType()
export class ReportOutcomeInput {
  @Field(() => ID) recommendationId: string;
  @Field(() => OutcomeEnum) outcome: OutcomeKind;
  @Field(() => DeclineReasonEnum, { nullable: true, description: 'Needed when declined.' })
  reason?: DeclineReason | null;
  @Field(() => String, { nullable: true }) note?: string | null;
  @Field({ description: 'When it happened.' }) at: Date;
}

export function recommendationModel({ recommendation: r, outcomes }: RecommendationWithOutcomes): RecommendationModel {
  const latest = outcomes.at(-1);
  return {
    id: r.id,
    key: encodeToken(r.keyToken),
    rung: r.rung,
    state: r.state,
    probability: Math.round(r.probability * 100) / 100,
    policyVersion: r.policyVersion,
    reasons: r.reasons.map(({ code, nats, text }) => ({ code, nats, textKo: text.ko, textEn: text.en })),
    explanationKo: r.explanation.ko,
    explanationEn: r.explanation.en,
    customerNoticeKo: r.customerNotice.ko,
    customerNoticeEn: r.customerNotice.en,
    issuedAt: r.issuedAt,
    deadline: r.deadline,
    deliveredAt: r.deliveredAt,
    acknowledgedAt: r.acknowledgedAt,
    executedAt: r.executedAt,
    supersedes: r.supersedes,
    outcome: latest?.outcome ?? null,
    outcomeReason: latest?.reason ?? null,
  };
}
