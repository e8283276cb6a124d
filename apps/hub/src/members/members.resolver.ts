import { Args, Field, InputType, Int, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import {
  type DeliveryMethod,
  type Member,
  MemberKeys,
  Members,
  type MemberState,
  type RotatedKey,
} from '@app/identity';
import type { Principal } from '@app/infrastructure/database';
import { Allow, By, ByMember } from '../auth/allow.decorator.js';
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

@InputType()
export class RotateMemberKeyInput {
  @Field({ description: 'Your next public JWK as JSON: EC P-256 or Ed25519.' }) jwk: string;
  @Field({
    description:
      'Compact JWS by that key: typ bongsu-key-proof+jwt; iss and sub your client id, aud the issuer, iat, exp at most 300 seconds later, jti.',
  })
  proof: string;
}

@ObjectType('RotatedKey')
export class RotatedKeyModel {
  @Field({ description: 'RFC 7638 thumbprint of the new key.' }) kid: string;
  @Field({ description: 'Until when the key before still signs in; until then no third is taken.' })
  previousValidUntil: Date;
}

@InputType()
export class ReplaceMemberKeyInput {
  @Field() name: string;
  @Field({ description: 'Public JWK as JSON: EC P-256 or Ed25519.' }) jwk: string;
  @Field({ description: 'For the audit.' }) reason: string;
}

@Resolver()
export class MembersResolver {
  constructor(
    private readonly service: Members,
    private readonly keys: MemberKeys,
  ) {}

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

  @Allow('members.rotate_key')
  @Mutation(() => RotatedKeyModel, { description: 'Takes your next key; the one before signs in for a week more.' })
  rotateMemberKey(
    @ByMember() by: Extract<Principal, { kind: 'member' }>,
    @Args('input') { jwk, proof }: RotateMemberKeyInput,
  ): Promise<RotatedKey> {
    return this.keys.rotate(by, { jwk: parsed(jwk), proof });
  }

  @Allow('members.manage')
  @Mutation(() => MemberModel, { description: 'Puts a key in the place of all that a member had, at once.' })
  async replaceMemberKey(@By() by: Principal, @Args('input') input: ReplaceMemberKeyInput): Promise<MemberModel> {
    return memberModel(await this.keys.replace(by, { ...input, jwk: parsed(input.jwk) }));
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
