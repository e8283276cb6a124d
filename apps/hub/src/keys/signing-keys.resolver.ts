import { Args, Field, InputType, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { SigningKeyRetirement } from '@app/identity';
import type { Principal } from '@app/infrastructure/database';
import { SigningKeys, type RegisteredKey } from '@app/keys';
import { Allow, By } from '../auth/allow.decorator.js';

@ObjectType('SigningKey', { description: 'A key of the hub that signs tokens, events and reports, or did.' })
export class SigningKeyModel {
  @Field({ description: 'RFC 7638 thumbprint.' }) kid: string;
  @Field() alg: string;
  @Field() createdAt: Date;
  @Field(() => Date, { nullable: true, description: 'From when on nothing that it signed is taken any more.' })
  retiredAt: Date | null;
  @Field({ description: 'It left its owner’s hands: what it signed proves nothing.' }) stolen: boolean;
}

@InputType()
export class RetireSigningKeyInput {
  @Field() kid: string;
  @Field({ description: 'For the audit.' }) reason: string;
  @Field({ defaultValue: false, description: 'Refuses at once all that it signed, not after a day.' }) stolen: boolean;
}

@Resolver()
export class SigningKeysResolver {
  constructor(
    private readonly keys: SigningKeys,
    private readonly retirement: SigningKeyRetirement,
  ) {}

  @Allow('keys.read')
  @Query(() => [SigningKeyModel], { description: 'Every signing key of the hub, oldest first.' })
  async signingKeys(): Promise<SigningKeyModel[]> {
    return (await this.keys.all()).map(signingKeyModel);
  }

  @Allow('keys.manage')
  @Mutation(() => SigningKeyModel, {
    description: 'Signs no more with a key, from within seconds on: hub and worker have to have the next one.',
  })
  async retireSigningKey(@By() by: Principal, @Args('input') input: RetireSigningKeyInput): Promise<SigningKeyModel> {
    const { kid, stolen, reason } = input;
    return signingKeyModel(await this.retirement.retire(by, kid, { stolen, reason }));
  }
}

function signingKeyModel({ kid, alg, createdAt, retiredAt, stolen }: RegisteredKey): SigningKeyModel {
  return { kid, alg, createdAt, retiredAt, stolen };
}
