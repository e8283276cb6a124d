import { Args, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Members } from '@app/identity';
import type { Principal } from '@app/infrastructure/database';
import { Epochs } from '@app/signals';
import { Allow, By, ByMember } from '../auth/allow.decorator.js';
import {
  AnnounceEpochInput,
  EpochModel,
  epochModel,
  RecordDestructionInput,
  ReenrollInput,
  ReenrolmentModel,
  ReenrolmentProgressModel,
} from './epochs.models.js';

type Member = Extract<Principal, { kind: 'member' }>;

@Resolver()
export class EpochsResolver {
  constructor(
    private readonly service: Epochs,
    private readonly members: Members,
  ) {}

  @Allow('epochs.read')
  @Query(() => [EpochModel], { description: 'Every epoch, oldest first, with the public keys of its holders.' })
  async epochs(@By() by: Principal): Promise<EpochModel[]> {
    return (await this.service.list(by)).map(epochModel);
  }

  @Allow('epochs.manage')
  @Query(() => [ReenrolmentProgressModel], { description: 'How far every active member has re-enrolled.' })
  async reenrolmentProgress(
    @By() by: Principal,
    @Args('epoch', { type: () => Int }) epoch: number,
  ): Promise<ReenrolmentProgressModel[]> {
    const found = new Map((await this.service.progress(by, epoch)).map((one) => [one.memberId, one]));
    const active = (await this.members.list(by)).filter((member) => member.state === 'active');
    return active.map(({ id, name }) => {
      const { pairs = 0, pending = 0, completedAt = null } = found.get(id) ?? {};
      return { member: name, pairs, pending, completedAt };
    });
  }

  @Allow('epochs.manage')
  @Mutation(() => EpochModel, {
    description: 'Publishes the keys of the next epoch, or those of the active one where none are published.',
  })
  async announceEpoch(@By() by: Principal, @Args('input') input: AnnounceEpochInput): Promise<EpochModel> {
    return epochModel(await this.service.announce(by, input.number, input.publicKeys));
  }

  @Allow('epochs.manage')
  @Mutation(() => EpochModel, { description: 'Has an announced epoch become the active one; `epochs` follows it.' })
  async switchEpoch(@By() by: Principal, @Args('number', { type: () => Int }) number: number): Promise<EpochModel> {
    return epochModel(await this.service.switch(by, number));
  }

  @Allow('epochs.manage')
  @Mutation(() => EpochModel, { description: 'Has a closing epoch closed for good; `epochs` follows it.' })
  async closeEpoch(@By() by: Principal, @Args('number', { type: () => Int }) number: number): Promise<EpochModel> {
    return epochModel(await this.service.close(by, number));
  }

  @Allow('epochs.manage')
  @Mutation(() => EpochModel, { description: 'Records that a holder has destroyed its key of a closed epoch.' })
  async recordKeyDestruction(@By() by: Principal, @Args('input') input: RecordDestructionInput): Promise<EpochModel> {
    const { number, ...record } = input;
    return epochModel(await this.service.recordDestruction(by, number, record));
  }

  @Allow('epochs.reenroll')
  @Mutation(() => ReenrolmentModel, {
    description: 'Pairs the member’s tokens under two epochs. A pair moves rows of the member itself, and no others.',
  })
  async reenroll(@ByMember() member: Member, @Args('input') input: ReenrollInput): Promise<ReenrolmentModel> {
    const pairs = input.pairs.map((pair) => ({ kind: pair.kind, old: pair.old.bytes, new: pair.new.bytes }));
    return this.service.reenroll(member, input.epoch, pairs, input.complete);
  }
}
