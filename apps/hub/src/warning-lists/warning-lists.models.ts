import { Field, InputType, Int, ObjectType } from '@nestjs/graphql';
import type { WarningList } from '@app/signals';
import { PageInfo } from '../recommendations/recommendations.models.js';

@ObjectType('WarningList', {
  description:
    'Addresses that many unrelated people share, as the alliance names them: members label their observations with it.',
})
export class WarningListModel implements WarningList {
  @Field() name: string;
  @Field(() => Int, { description: 'Rises by one with every change of this list.' }) version: number;
  cursor: number;
  @Field({ description: 'Where its entries come from.' }) source: string;
  @Field() description: string;
  @Field(() => Int) entryCount: number;
  @Field({ description: 'From then on it no longer counts.' }) expiresAt: Date;
  @Field() updatedAt: Date;
  @Field(() => Date, { nullable: true, description: 'When it was ended; it has no entries then.' })
  endedAt: Date | null;
}

@ObjectType()
export class WarningListEdge {
  @Field({ description: 'Monotonic: a list that changes later has a higher one.' }) cursor: string;
  @Field(() => WarningListModel) node: WarningListModel;
}

@ObjectType()
export class WarningListConnection {
  @Field(() => [WarningListEdge]) edges: WarningListEdge[];
  @Field(() => PageInfo) pageInfo: PageInfo;
}

@InputType()
export class PutWarningListInput {
  @Field({ description: '1 to 64 characters. A list of this name is replaced.' }) name: string;
  @Field({ description: 'Where its entries come from: publisher, URL, date.' }) source: string;
  @Field(() => String, { nullable: true }) description?: string | null;
  @Field(() => [String], { description: 'IPv4 and IPv6 networks (CIDR) or addresses, 1 to 100,000.' })
  entries: string[];
  @Field({ description: 'In the future, within 366 days.' }) expiresAt: Date;
  @Field(() => Boolean, { nullable: true, description: 'Lets in ranges that are not reachable on the Internet.' })
  allowPrivate?: boolean | null;
}

@InputType()
export class EndWarningListInput {
  @Field() name: string;
  @Field({ description: 'Why, for the audit.' }) reason: string;
}
