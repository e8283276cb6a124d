import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
import type { Rung } from '@app/protocol';
import type { Erasure, ErasureCounts } from '@app/signals';
import { ErasureKindEnum, ErasureStateEnum, RungEnum } from '../graphql/enums.js';
import { Bytes } from '../graphql/scalars.js';
import { PageInfo } from '../recommendations/recommendations.models.js';

@InputType()
export class EraseKeyInput {
  @Field(() => Bytes, { description: 'The key’s token, 32 bytes.' }) key: Bytes;
  @Field({ description: 'Why, for the audit. Without names, keys or addresses: it is kept.' }) reason: string;
}

@InputType()
export class EraseOwnerInput {
  @Field(() => Bytes, { description: 'The owner’s token, 32 bytes.' }) owner: Bytes;
  @Field({ description: 'Why, for the audit. Without names, keys or addresses: it is kept.' }) reason: string;
}

@ObjectType('ErasureCounts', { description: 'What went.' })
export class ErasureCountsModel implements ErasureCounts {
  @Field(() => Int) keys: number;
  @Field(() => Int) observations: number;
  @Field(() => Int) allowEntries: number;
  @Field(() => Int) keyFacts: number;
  @Field(() => Int, { description: 'Rows taken out of stored batches.' }) batchRows: number;
  @Field(() => Int, { description: 'Recommendations reduced to id, rung, times and outcomes.' })
  recommendations: number;
  @Field(() => Int, { description: 'Tokens of any kind that nothing refers to any more.' }) tokens: number;
}

@ObjectType('Erasure', { description: 'The receipt of an erasure.' })
export class ErasureModel {
  @Field(() => ID) id: string;
  @Field({ description: 'The member whose data it is.' }) member: string;
  @Field(() => ErasureKindEnum) kind: string;
  @Field(() => String, { nullable: true, description: 'Short form of the key’s or owner’s token.' })
  target: string | null;
  @Field() reason: string;
  @Field() requestedBy: string;
  @Field() requestedAt: Date;
  @Field(() => ErasureStateEnum) state: string;
  @Field(() => Date, { nullable: true }) doneAt: Date | null;
  @Field(() => ErasureCountsModel) counts: ErasureCountsModel;
  @Field(() => Int, { description: 'Recommendations about it that were still to be acted on; they are withdrawn.' })
  openRecommendations: number;
  @Field(() => RungEnum, { nullable: true, description: 'The highest rung among those.' }) highestRung: Rung | null;
}

@ObjectType()
export class ErasureEdge {
  @Field() cursor: string;
  @Field(() => ErasureModel) node: ErasureModel;
}

@ObjectType()
export class ErasureConnection {
  @Field(() => [ErasureEdge]) edges: ErasureEdge[];
  @Field(() => PageInfo) pageInfo: PageInfo;
}

export function erasureModel({ cursor: _cursor, memberId: _id, ...erasure }: Erasure, member: string): ErasureModel {
  return { ...erasure, member };
}
