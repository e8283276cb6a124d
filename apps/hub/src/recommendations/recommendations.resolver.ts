import { Args, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Principal } from '@app/infrastructure/database';
import { Recommendations } from '@app/recommendations';
import { Allow, ByMember } from '../auth/allow.decorator.js';
import { page } from '../graphql/paging.js';
import {
  recommendationModel,
  RecommendationConnection,
  RecommendationModel,
  ReportOutcomeInput,
} from './recommendations.models.js';

type Member = Extract<Principal, { kind: 'member' }>;

@Resolver()
export class RecommendationsResolver {
  constructor(private readonly recommendations: Recommendations) {}

  @Allow('outcomes.report')
  @Query(() => RecommendationConnection, {
    name: 'recommendations',
    description: 'Recommendations to the calling member, oldest first.',
  })
  async list(
    @ByMember() member: Member,
    @Args('after', { type: () => String, nullable: true }) after?: string | null,
    @Args('first', { type: () => Int, nullable: true }) first?: number | null,
  ): Promise<RecommendationConnection> {
    const wanted = page(after, first);
    const found = await this.recommendations.list(member, wanted.after, wanted.first);
    const edges = found
      .slice(0, wanted.first)
      .map((entry) => ({ cursor: String(entry.recommendation.cursor), node: recommendationModel(entry) }));
    return { edges, pageInfo: { hasNextPage: found.length > wanted.first, endCursor: edges.at(-1)?.cursor ?? null } };
  }

  @Allow('outcomes.report')
  @Query(() => RecommendationModel, { nullable: true })
  async recommendation(
    @ByMember() member: Member,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<RecommendationModel | null> {
    const found = await this.recommendations.byId(member, id);
    return found && recommendationModel(found);
  }

  @Allow('outcomes.report')
  @Mutation(() => RecommendationModel, {
    description: 'What the member did or found. The same again is fine; a contradiction is refused.',
  })
  async reportOutcome(
    @ByMember() member: Member,
    @Args('input') input: ReportOutcomeInput,
  ): Promise<RecommendationModel> {
    const { recommendationId, outcome, reason, note, at } = input;
    return recommendationModel(
      await this.recommendations.reportOutcome(member, recommendationId, {
        outcome,
        reason: reason ?? null,
        note: note ?? null,
        at,
      }),
    );
  }
}
