import { Args, Float, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Principal } from '@app/infrastructure/database';
import { Batches, SubmitSignals } from '@app/signals';
import { Allow, ByMember } from '../auth/allow.decorator.js';
import { SubmitSignalsInput, WithdrawBatchInput } from './signals.inputs.js';
import { BatchReceiptModel, receiptModel } from './signals.models.js';

type Member = Extract<Principal, { kind: 'member' }>;

@Resolver()
export class SignalsResolver {
  constructor(
    private readonly signals: SubmitSignals,
    private readonly batches: Batches,
  ) {}

  @Allow('signals.submit')
  @Mutation(() => BatchReceiptModel, {
    description: 'Takes a batch in. The answer is durable: what it accepts is never lost and never counts twice.',
  })
  async submitSignals(
    @ByMember() member: Member,
    @Args('input') input: SubmitSignalsInput,
  ): Promise<BatchReceiptModel> {
    const { compact, observations, allowEntries, keyFacts, ...envelope } = input;
    const listed = observations || allowEntries || keyFacts;
    return receiptModel(
      await this.signals.submit(member, {
        ...envelope,
        ...(compact ? { compact: compact.bytes } : {}),
        ...(listed
          ? { rows: { observations: observations ?? [], allowEntries: allowEntries ?? [], keyFacts: keyFacts ?? [] } }
          : {}),
      }),
    );
  }

  @Allow('signals.withdraw')
  @Mutation(() => BatchReceiptModel, { description: 'Takes a batch back: its rows no longer stand.' })
  async withdrawBatch(
    @ByMember() member: Member,
    @Args('input') input: WithdrawBatchInput,
  ): Promise<BatchReceiptModel> {
    return receiptModel(await this.batches.withdraw(member, input.batchId, input.reason));
  }

  @Allow('signals.submit')
  @Query(() => BatchReceiptModel, { nullable: true, description: 'The receipt of one of the member’s batches.' })
  async batch(
    @ByMember() member: Member,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<BatchReceiptModel | null> {
    const receipt = await this.batches.receipt(member, id);
    return receipt && receiptModel(receipt);
  }

  @Allow('signals.submit')
  @Query(() => Float, { description: 'Highest sequence number the hub holds of the member; 0 for none.' })
  lastSequence(@ByMember() member: Member): Promise<number> {
    return this.batches.lastSequence(member);
  }
}
