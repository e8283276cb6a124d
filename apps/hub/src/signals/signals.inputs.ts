import { Field, Float, ID, InputType, Int } from '@nestjs/graphql';
import type { AllowEntryInput, KeyFactsInput, LegalBasis, ObservationInput, Purpose } from '@app/protocol';
import { LegalBasisEnum, PurposeEnum } from '../graphql/enums.js';
import { Bytes } from '../graphql/scalars.js';

// Row fields are loose on purpose: what does not fit is answered row by row, with its index and code.

@InputType('ObservationInput', {
  description: 'What one key did from one IP with one client in one hour. Tokens in base64url.',
})
export class ObservationInputType implements ObservationInput {
  @Field() key: string;
  @Field() ip: string;
  @Field({ description: 'Token of the address’s /24 or /48.' }) prefix: string;
  @Field() client: string;
  @Field({ description: 'Start of the hour, ISO 8601 in UTC.' }) hour: string;
  @Field({ description: 'residential, mobile, hosting, vpn or unknown.' }) network: string;
  @Field(() => [String], { nullable: true, description: 'Warning lists that the address is on.' }) lists?: string[];
  @Field(() => Float) requests: number;
  @Field(() => Float) orders: number;
  @Field(() => Float, { description: 'Validly signed requests refused because the IP was not registered.' })
  rejected: number;
  @Field(() => Float, { description: '12 bits: bit i = minutes 5i to 5i+5 with any request.' }) activeSlots: number;
  @Field(() => Float, { description: '12 bits: those with an order burst.' }) burstSlots: number;
}

@InputType('AllowEntryInput', { description: 'A dated entry of a key’s allow-list. It counts from addedAt.' })
export class AllowEntryInputType implements AllowEntryInput {
  @Field() key: string;
  @Field() ip: string;
  @Field() prefix: string;
  @Field() addedAt: string;
  @Field(() => String, { nullable: true }) removedAt?: string | null;
}

@InputType('KeyFactsInput', { description: 'What the exchange knows of a key.' })
export class KeyFactsInputType implements KeyFactsInput {
  @Field() key: string;
  @Field() owner: string;
  @Field({ description: 'individual, corporate, market_maker or aggregator.' }) accountType: string;
  @Field(() => [String], { description: 'Of read, trade, withdraw.' }) permissions: string[];
  @Field() createdAt: string;
  @Field(() => String, { nullable: true }) expiresAt?: string | null;
}

@InputType()
export class SubmitSignalsInput {
  @Field(() => ID, { description: 'UUID, chosen by the member. The same again is answered as the first time.' })
  batchId: string;
  @Field(() => Float, { description: 'Whole number; rises with every batch of the member.' }) sequence: number;
  @Field(() => Int, { description: 'Blinding epoch of the tokens.' }) epoch: number;
  @Field(() => PurposeEnum) purpose: Purpose;
  @Field(() => LegalBasisEnum) legalBasis: LegalBasis;
  @Field(() => Bytes, { nullable: true, description: 'The rows in the compact form; else as lists.' }) compact?: Bytes;
  @Field(() => [ObservationInputType], { nullable: true }) observations?: ObservationInputType[];
  @Field(() => [AllowEntryInputType], { nullable: true }) allowEntries?: AllowEntryInputType[];
  @Field(() => [KeyFactsInputType], { nullable: true }) keyFacts?: KeyFactsInputType[];
}

@InputType()
export class WithdrawBatchInput {
  @Field(() => ID) batchId: string;
  @Field({ description: 'Why, for the audit.' }) reason: string;
}
