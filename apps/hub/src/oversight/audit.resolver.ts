import { Args, Field, InputType, Int, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { type AuditEntry, AuditTrail } from '@app/audit';
import type { Principal } from '@app/infrastructure/database';
import { Allow, By } from '../auth/allow.decorator.js';
import { page } from '../graphql/paging.js';
import { JsonScalar } from '../graphql/scalars.js';
import { PageInfo } from '../recommendations/recommendations.models.js';

@ObjectType('AuditEntry', { description: 'A change, or an attempt that was refused.' })
export class AuditEntryModel {
  @Field() at: Date;
  @Field({ description: 'In whose name: member:…, staff:…, job:…; unknown for who could not be told.' }) actor: string;
  @Field({ description: 'Dotted, past tense: member.suspended, access.forbidden.' }) action: string;
  @Field({ description: 'What it happened to: member:upbit, recommendation:….' }) subject: string;
  @Field(() => String, { nullable: true, description: 'Address of the caller.' }) from: string | null;
  @Field(() => String, { nullable: true, description: 'Id of the request, as in every log.' }) requestId: string | null;
  @Field(() => JsonScalar, { nullable: true, description: 'The fields that changed, as they were.' }) before: unknown;
  @Field(() => JsonScalar, { nullable: true, description: 'The same fields, as they are now.' }) after: unknown;
  @Field(() => JsonScalar, { description: 'What else is to be said, such as why.' }) detail: unknown;
}

@ObjectType()
export class AuditEdge {
  @Field({ description: 'Opaque. Nothing that is read later comes before it.' }) cursor: string;
  @Field(() => AuditEntryModel) node: AuditEntryModel;
}

@ObjectType()
export class AuditConnection {
  @Field(() => [AuditEdge]) edges: AuditEdge[];
  @Field(() => PageInfo) pageInfo: PageInfo;
}

@InputType()
export class AuditFilterInput {
  @Field(() => String, { nullable: true }) actor?: string | null;
  @Field(() => String, { nullable: true, description: 'One action, or with a dot at the end all that begin so.' })
  action?: string | null;
  @Field(() => String, { nullable: true }) subject?: string | null;
  @Field(() => Date, { nullable: true, description: 'Not before this time.' }) from?: Date | null;
  @Field(() => Date, { nullable: true, description: 'Before this time.' }) until?: Date | null;
}

@Resolver()
export class AuditResolver {
  constructor(private readonly trail: AuditTrail) {}

  @Allow('audit.read')
  @Query(() => AuditConnection, {
    description: 'The audit, in the order of its transactions. To read it is recorded, once a reading.',
  })
  async auditLog(
    @By() by: Principal,
    @Args('after', { type: () => String, nullable: true }) after?: string | null,
    @Args('first', { type: () => Int, nullable: true }) first?: number | null,
    @Args('filter', { type: () => AuditFilterInput, nullable: true }) filter?: AuditFilterInput | null,
  ): Promise<AuditConnection> {
    const { first: count } = page(null, first);
    const { entries, hasNext } = await this.trail.page(by, after ?? '', count, {
      actor: filter?.actor ?? undefined,
      action: filter?.action ?? undefined,
      subject: filter?.subject ?? undefined,
      since: filter?.from ?? undefined,
      until: filter?.until ?? undefined,
    });
    const edges = entries.map(toEdge);
    return { edges, pageInfo: { hasNextPage: hasNext, endCursor: edges.at(-1)?.cursor ?? null } };
  }
}

function toEdge({ cursor, ...node }: AuditEntry): AuditEdge {
  return { cursor, node };
}
