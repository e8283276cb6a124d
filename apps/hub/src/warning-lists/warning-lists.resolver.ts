import { Args, Int, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@app/infrastructure/database';
import { BongsuError } from '@app/protocol';
import { WarningLists } from '@app/signals';
import { Allow, By } from '../auth/allow.decorator.js';
import { page } from '../graphql/paging.js';
import {
  EndWarningListInput,
  PutWarningListInput,
  WarningListConnection,
  WarningListModel,
} from './warning-lists.models.js';

/** Lists in a page unless the caller says otherwise, and at most: each may have entries worth some megabytes. */
const PAGE = 4;
const MOST = 8;

@Resolver(() => WarningListModel)
export class WarningListsResolver {
  constructor(private readonly lists: WarningLists) {}

  @Allow('lists.read')
  @Query(() => WarningListConnection, {
    description: 'Warning lists that changed after a cursor, ended ones too, in the order of their last change.',
  })
  async warningLists(
    @By() by: Principal,
    @Args('after', { type: () => String, nullable: true }) after?: string | null,
    @Args('first', { type: () => Int, nullable: true, description: `At most ${MOST}; ${PAGE} unless given.` })
    first?: number | null,
  ): Promise<WarningListConnection> {
    const wanted = page(after, first ?? PAGE);
    if (wanted.first > MOST) throw new BongsuError('BAD_INPUT', `A page has at most ${MOST} lists.`, 'first');
    const found = await this.lists.changes(by, wanted.after, wanted.first + 1);
    const edges = found.slice(0, wanted.first).map((node) => ({ cursor: String(node.cursor), node }));
    return { edges, pageInfo: { hasNextPage: found.length > wanted.first, endCursor: edges.at(-1)?.cursor ?? null } };
  }

  @ResolveField(() => [String], { description: 'Networks (CIDR), canonical: sorted, none within another.' })
  entries(@By() by: Principal, @Parent() list: WarningListModel): Promise<string[]> {
    return this.lists.entries(by, list);
  }

  @Allow('lists.manage')
  @Mutation(() => WarningListModel, { description: 'Publishes a list, or replaces the one of its name.' })
  putWarningList(@By() by: Principal, @Args('input') input: PutWarningListInput): Promise<WarningListModel> {
    const { name, source, description, entries, expiresAt, allowPrivate } = input;
    return this.lists.put(by, {
      name,
      source,
      description: description ?? '',
      entries,
      expiresAt,
      allowPrivate: allowPrivate ?? false,
    });
  }

  @Allow('lists.manage')
  @Mutation(() => WarningListModel, { description: 'Ends a list: it labels nothing any more. Again is fine.' })
  endWarningList(@By() by: Principal, @Args('input') { name, reason }: EndWarningListInput): Promise<WarningListModel> {
    return this.lists.end(by, name, reason);
  }
}
