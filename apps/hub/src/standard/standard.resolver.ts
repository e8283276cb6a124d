import { Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { Database, type Principal } from '@app/infrastructure/database';
import { POLICY_SCHEMA, type Policy } from '@app/protocol';
import { Standards } from '@app/standard';
import { Allow, By } from '../auth/allow.decorator.js';
import { JsonScalar } from '../graphql/scalars.js';

@ObjectType('Standard', { description: 'A version of the standard: text to obey, policy to run.' })
export class StandardModel {
  @Field() version: string;
  @Field() effectiveFrom: Date;
  @Field({ description: 'Markdown, Korean.' }) textKo: string;
  @Field({ description: 'Markdown, English.' }) textEn: string;
  @Field(() => JsonScalar) policy: Policy;
  @Field(() => JsonScalar, { description: 'JSON Schema 2020-12 of the policy.' }) policySchema: unknown;
  @Field({ description: 'SHA-256 over the canonical JSON of version, texts and policy; hex.' }) contentHash: string;
}

@Resolver()
export class StandardResolver {
  constructor(
    private readonly database: Database,
    private readonly standards: Standards,
  ) {}

  @Allow('standard.read')
  @Query(() => StandardModel, { description: 'The version in force.' })
  currentStandard(@By() by: Principal): Promise<StandardModel> {
    return this.database.transaction(by, async (tx) => ({
      ...(await this.standards.current(tx)),
      policySchema: POLICY_SCHEMA,
    }));
  }
}
