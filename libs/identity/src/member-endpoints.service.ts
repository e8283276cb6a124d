import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/infrastructure/database';
import { MemberEndpointRepository } from './member-endpoint.repository.js';

/** Secrets of members' push endpoints: for jobs of the worker, whose role alone may read them. */
@Injectable()
export class MemberEndpoints {
  constructor(private readonly endpoints: MemberEndpointRepository) {}

  /** The header's value that a member's endpoint wants; null where it has none, or the principal is no job. */
  authorizationOf(tx: Tx, memberId: number): Promise<string | null> {
    return this.endpoints.authorizationOf(tx, memberId);
  }
}
