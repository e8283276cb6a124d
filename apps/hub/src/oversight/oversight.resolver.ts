import { Args, Field, Float, Int, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { type Backlog, type Standing, Standings } from '@app/assessments';
import type { Principal } from '@app/infrastructure/database';
import type { RungOrNone } from '@app/protocol';
import { Allow, By } from '../auth/allow.decorator.js';
import { RungOrNoneEnum } from '../graphql/enums.js';
import { page } from '../graphql/paging.js';
import { PageInfo } from '../recommendations/recommendations.models.js';

@ObjectType('RungChange')
export class RungChangeModel {
  @Field() at: Date;
  @Field(() => RungOrNoneEnum) rung: RungOrNone;
}

@ObjectType('Standing', {
  description: 'Where one key stands. Its token is in short form: only its member can resolve it.',
})
export class StandingModel {
  @Field() member: string;
  @Field() keyShort: string;
  @Field(() => Float) probability: number;
  @Field(() => RungOrNoneEnum) rung: RungOrNone;
  @Field() assessedAt: Date;
  @Field(() => [String], { description: 'Detector codes, strongest first.' }) reasons: string[];
  @Field(() => [RungChangeModel]) history: RungChangeModel[];
}

@ObjectType()
export class StandingEdge {
  @Field() cursor: string;
  @Field(() => StandingModel) node: StandingModel;
}

@ObjectType()
export class StandingConnection {
  @Field(() => [StandingEdge]) edges: StandingEdge[];
  @Field(() => PageInfo) pageInfo: PageInfo;
}

@ObjectType('Backlog', { description: 'What is still under way in the hub.' })
export class BacklogModel {
  @Field(() => Int) batchesToFold: number;
  @Field(() => Int) keysToAssess: number;
  @Field(() => Int) outcomesToApply: number;
  @Field(() => Int) deliveriesPending: number;
}

@Resolver()
export class OversightResolver {
  constructor(private readonly standingsOf: Standings) {}

  @Allow('overview.read')
  @Query(() => StandingConnection, { description: 'Every assessed key, in a stable order.' })
  async standings(
    @By() by: Principal,
    @Args('after', { type: () => String, nullable: true }) after?: string | null,
    @Args('first', { type: () => Int, nullable: true }) first?: number | null,
  ): Promise<StandingConnection> {
    const wanted = page(after, first);
    const found = await this.standingsOf.list(by, wanted.after, wanted.first + 1);
    const edges = found.slice(0, wanted.first).map(toEdge);
    return { edges, pageInfo: { hasNextPage: found.length > wanted.first, endCursor: edges.at(-1)?.cursor ?? null } };
  }

  @Allow('overview.read')
  @Query(() => BacklogModel)
  backlog(@By() by: Principal): Promise<Backlog> {
    return this.standingsOf.backlog(by);
  }
}

function toEdge({ cursor, ...node }: Standing): StandingEdge {
  return { cursor: String(cursor), node };
}
