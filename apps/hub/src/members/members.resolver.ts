import { Args, Field, InputType, Int, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { type DeliveryMethod, type Member, Members, type MemberState } from '@app/identity';
import type { Principal } from '@app/infrastructure/database';
import { Allow, By } from '../auth/allow.decorator.js';
import { DeliveryMethodEnum, MemberStateEnum } from '../graphql/enums.js';
import { JsonScalar } from '../graphql/scalars.js';

@ObjectType('Member', { description: 'A member exchange.' })
export class MemberModel {
  @Field(() => Int) id: number;
  @Field() name: string;
  @Field(() => MemberStateEnum) state: MemberState;
  @Field(() => DeliveryMethodEnum) deliveryMethod: DeliveryMethod;
  @Field(() => String, { nullable: true }) endpointUrl: string | null;
  @Field(() => JsonScalar, { description: 'Public JWK.' }) jwk: unknown;
  @Field() createdAt: Date;
}

@InputType()
export class ContactInput {
  @Field() name: string;
  @Field() email: string;
}

@InputType()
export class AddMemberInput {
  @Field() name: string;
  @Field({ description: 'Public JWK as JSON: EC P-256 or Ed25519.' }) jwk: string;
  @Field(() => DeliveryMethodEnum) deliveryMethod: DeliveryMethod;
  @Field(() => String, { nullable: true }) endpointUrl?: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'Authorization header that the endpoint wants. Kept, never shown again.',
  })
  authorization?: string | null;
  @Field(() => [ContactInput], { nullable: true }) contacts?: ContactInput[] | null;
}

@Resolver()
export class MembersResolver {
  constructor(private readonly service: Members) {}

  @Allow('members.read')
  @Query(() => [MemberModel])
  async members(@By() by: Principal): Promise<MemberModel[]> {
    return (await this.service.list(by)).map(memberModel);
  }

  @Allow('members.manage')
  @Mutation(() => MemberModel, { description: 'Registers a member exchange.' })
  async addMember(@By() by: Principal, @Args('input') input: AddMemberInput): Promise<MemberModel> {
    const { name, jwk, deliveryMethod: method, endpointUrl, authorization, contacts } = input;
    return memberModel(
      await this.service.add(by, {
        name,
        jwk: parsed(jwk),
        delivery: { method, endpointUrl, authorization },
        contacts,
      }),
    );
  }

  @Allow('members.manage')
  @Mutation(() => MemberModel, { description: 'Refuses a member at every door, within seconds.' })
  async suspendMember(
    @By() by: Principal,
    @Args('name') name: string,
    @Args('reason') reason: string,
  ): Promise<MemberModel> {
    return memberModel(await this.service.suspend(by, name, reason));
  }

  @Allow('members.manage')
  @Mutation(() => MemberModel)
  async reinstateMember(
    @By() by: Principal,
    @Args('name') name: string,
    @Args('reason') reason: string,
  ): Promise<MemberModel> {
    return memberModel(await this.service.reinstate(by, name, reason));
  }
}

/** JSON, or null, which the check of the key then refuses with its words. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function memberModel({ id, name, state, deliveryMethod, endpointUrl, jwk, createdAt }: Member): MemberModel {
  return { id, name, state, deliveryMethod, endpointUrl, jwk, createdAt };
}
