import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/infrastructure/database';
import { MemberEndpointRepository } from './member-endpoint.repository.js';
import { MemberRepository } from './member.repository.js';

/** Where a member's events go. */
export interface Endpoint {
  url: string;
  /** Value of the `Authorization` header. A secret: never logged. */
  authorization: string;
}

/** Members' push endpoints with their secrets: for jobs of the worker, whose role alone may read them. */
@Injectable()
export class MemberEndpoints {
  constructor(
    private readonly members: MemberRepository,
    private readonly endpoints: MemberEndpointRepository,
  ) {}

  /** The header's value that a member's endpoint wants; null where it has none, or the principal is no job. */
  authorizationOf(tx: Tx, memberId: number): Promise<string | null> {
    return this.endpoints.authorizationOf(tx, memberId);
  }

  /** Where to push an active member's events; null for one that polls, is suspended, or has left. */
  async of(tx: Tx, memberId: number): Promise<Endpoint | null> {
    const [member] = await this.members.byIds(tx, [memberId]);
    if (member?.state !== 'active' || member.deliveryMethod !== 'push' || !member.endpointUrl) return null;
    const authorization = await this.endpoints.authorizationOf(tx, memberId);
    return authorization === null ? null : { url: member.endpointUrl, authorization };
  }
}
