import { Field, Int, ObjectType, Query, Resolver } from '@nestjs/graphql';
import type { Principal } from '@app/infrastructure/database';
import type { Rung } from '@app/protocol';
import { type Flow, RecommendationFlow } from '@app/recommendations';
import { Batches, type Intake } from '@app/signals';
import { Allow, By } from '../auth/allow.decorator.js';
import { RungEnum } from '../graphql/enums.js';

@ObjectType('Intake', { description: 'What one member has sent.' })
export class IntakeModel {
  @Field() member: string;
  @Field(() => Int) batches: number;
  @Field(() => Int, { description: 'Rows accepted, of all sections.' }) accepted: number;
  @Field(() => Int, { description: 'Observations among them.' }) observations: number;
  @Field(() => Int) rejected: number;
}

@ObjectType('RecommendationFlow', { description: 'How many recommendations to a rung ever reached each stage.' })
export class FlowModel {
  @Field(() => RungEnum) rung: Rung;
  @Field(() => Int) issued: number;
  @Field(() => Int) delivered: number;
  @Field(() => Int) acknowledged: number;
  @Field(() => Int) executed: number;
  @Field(() => Int) declined: number;
}

@Resolver()
export class FlowResolver {
  constructor(
    private readonly batches: Batches,
    private readonly flow: RecommendationFlow,
  ) {}

  @Allow('overview.read')
  @Query(() => [IntakeModel])
  intake(@By() by: Principal): Promise<Intake[]> {
    return this.batches.intake(by);
  }

  @Allow('overview.read')
  @Query(() => [FlowModel])
  recommendationFlow(@By() by: Principal): Promise<Flow[]> {
    return this.flow.byRung(by);
  }
}
