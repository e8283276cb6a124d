import { Args, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Members } from '@app/identity';
import type { Principal } from '@app/infrastructure/database';
import { Erasures, type Erasure } from '@app/signals';
import { Allow, By, ByMember } from '../auth/allow.decorator.js';
import { page } from '../graphql/paging.js';
import { MemberModel, memberModel } from '../members/members.resolver.js';
import { EraseKeyInput, EraseOwnerInput, ErasureConnection, erasureModel, ErasureModel } from './erasures.models.js';

type Member = Extract<Principal, { kind: 'member' }>;

@Resolver()
export class ErasuresResolver {
  constructor(
    private readonly service: Erasures,
    private readonly members: Members,
  ) {}

  @Allow('signals.erase')
  @Mutation(() => ErasureModel, {
    description: 'Erases everything about one of the member’s keys; `erasure` follows it.',
  })
  async eraseKey(@ByMember() member: Member, @Args('input') { key, reason }: EraseKeyInput): Promise<ErasureModel> {
    return erasureModel(await this.service.request(member, 'key', key.bytes, reason), member.name);
  }

  @Allow('signals.erase')
  @Mutation(() => ErasureModel, {
    description: 'Erases everything about one owner’s keys at the member. What other members sent stands.',
  })
  async eraseOwner(
    @ByMember() member: Member,
    @Args('input') { owner, reason }: EraseOwnerInput,
  ): Promise<ErasureModel> {
    return erasureModel(await this.service.request(member, 'owner', owner.bytes, reason), member.name);
  }

  @Allow('members.manage')
  @Mutation(() => MemberModel, {
    description: 'Ends a membership for good: refused at every door, within seconds; what it sent is erased.',
  })
  async leaveMember(
    @By() by: Principal,
    @Args('name') name: string,
    @Args('reason') reason: string,
  ): Promise<MemberModel> {
    return memberModel(await this.service.leave(by, name, reason));
  }

  @Allow('erasures.read')
  @Query(() => ErasureModel, { nullable: true, description: 'One erasure: a member’s own, or any for staff.' })
  async erasure(@By() by: Principal, @Args('id', { type: () => ID }) id: string): Promise<ErasureModel | null> {
    const found = await this.service.byId(by, id);
    return found && (await this.models(by, [found]))[0]!;
  }

  @Allow('erasures.read')
  @Query(() => ErasureConnection, { description: 'Erasures, oldest first: a member’s own, or all for staff.' })
  async erasures(
    @By() by: Principal,
    @Args('after', { type: () => String, nullable: true }) after?: string | null,
    @Args('first', { type: () => Int, nullable: true }) first?: number | null,
  ): Promise<ErasureConnection> {
    const wanted = page(after, first);
    const found = await this.service.list(by, wanted.after, wanted.first + 1);
    const shown = found.slice(0, wanted.first);
    const nodes = await this.models(by, shown);
    const edges = nodes.map((node, i) => ({ cursor: String(shown[i]!.cursor), node }));
    return { edges, pageInfo: { hasNextPage: found.length > wanted.first, endCursor: edges.at(-1)?.cursor ?? null } };
  }

  private async models(by: Principal, erasures: readonly Erasure[]): Promise<ErasureModel[]> {
    const members = await this.members.byIds(by, [...new Set(erasures.map((e) => e.memberId))]);
    const names = new Map(members.map((m) => [m.id, m.name]));
    return erasures.map((erasure) => erasureModel(erasure, names.get(erasure.memberId) ?? ''));
  }
}
