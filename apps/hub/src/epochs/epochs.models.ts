import { Field, InputType, Int, ObjectType } from '@nestjs/graphql';
import type { TokenKind } from '@app/protocol';
import type { Destruction, Epoch, Reenrolment } from '@app/signals';
import { EpochStateEnum, TokenKindEnum } from '../graphql/enums.js';
import { Bytes } from '../graphql/scalars.js';

@ObjectType('KeyDestruction', { description: 'A holder’s word that it has destroyed its key, as staff entered it.' })
export class KeyDestructionModel {
  @Field() publicKey: string;
  @Field() destroyedAt: Date;
  @Field({ description: 'Who had it destroyed.' }) by: string;
  @Field(() => Int, { description: 'Number of the entry in the holder’s own audit.' }) auditSeq: number;
  @Field() recordedBy: string;
}

@ObjectType('Epoch', { description: 'The life of a blinding key.' })
export class EpochModel {
  @Field(() => Int) number: number;
  @Field(() => EpochStateEnum) state: string;
  @Field(() => [String], {
    description:
      'The holders’ public keys (base64url), in the order in which every member asks them. Empty: not published.',
  })
  publicKeys: string[];
  @Field(() => Date, { nullable: true }) announcedAt: Date | null;
  @Field(() => Date, { nullable: true }) openedAt: Date | null;
  @Field(() => Date, { nullable: true }) closingAt: Date | null;
  @Field(() => Date, { nullable: true }) closedAt: Date | null;
  @Field(() => [KeyDestructionModel]) destroyed: KeyDestructionModel[];
}

@ObjectType('ReenrolmentProgress', { description: 'How far an active member has re-enrolled.' })
export class ReenrolmentProgressModel {
  @Field() member: string;
  @Field(() => Int, { description: 'Pairs accepted.' }) pairs: number;
  @Field(() => Int, { description: 'Of them, those that are still to be carried over.' }) pending: number;
  @Field(() => Date, { nullable: true, description: 'When it said that it has no more.' }) completedAt: Date | null;
}

@InputType()
export class AnnounceEpochInput {
  @Field(() => Int) number: number;
  @Field(() => [String], { description: 'base64url, in the order in which members ask the holders.' })
  publicKeys: string[];
}

@InputType()
export class RecordDestructionInput {
  @Field(() => Int) number: number;
  @Field() publicKey: string;
  @Field() destroyedAt: Date;
  @Field() by: string;
  @Field(() => Int) auditSeq: number;
}

@InputType()
export class TokenPairInput {
  @Field(() => TokenKindEnum) kind: TokenKind;
  @Field(() => Bytes, { description: 'The value’s token under the key that goes.' }) old: Bytes;
  @Field(() => Bytes, { description: 'Its token under the key that comes.' }) new: Bytes;
}

@InputType()
export class ReenrollInput {
  @Field(() => Int, { description: 'The epoch that comes.' }) epoch: number;
  @Field(() => [TokenPairInput], { description: 'At most 1,000.' }) pairs: TokenPairInput[];
  @Field({ description: 'Whether the member has no more pairs.' }) complete: boolean;
}

@ObjectType()
export class ReenrolmentRefusal {
  @Field(() => Int) index: number;
  @Field() code: string;
  @Field() message: string;
}

@ObjectType('Reenrolment', { description: 'What became of pairs.' })
export class ReenrolmentModel implements Reenrolment {
  @Field(() => Int) accepted: number;
  @Field(() => [ReenrolmentRefusal]) refused: Reenrolment['refused'];
  @Field(() => Int, { description: 'Accepted pairs of the member’s that are not carried over yet.' }) pending: number;
}

export function epochModel({ asked: _, destroyed, ...epoch }: Epoch): EpochModel {
  const model = (one: Destruction) => ({ ...one, destroyedAt: new Date(one.destroyedAt) });
  return { ...epoch, destroyed: destroyed.map(model) };
}
