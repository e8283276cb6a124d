import type { Tx } from '@app/infrastructure/database';
import { MemberEndpointRepository } from './member-endpoint.repository.js';

export class FakeMemberEndpointRepository extends MemberEndpointRepository {
  readonly authorizations = new Map<number, string>();

  async put(_tx: Tx, memberId: number, authorization: string): Promise<void> {
    this.authorizations.set(memberId, authorization);
  }

  async remove(_tx: Tx, memberId: number): Promise<void> {
    this.authorizations.delete(memberId);
  }

  async authorizationOf(_tx: Tx, memberId: number): Promise<string | null> {
    return this.authorizations.get(memberId) ?? null;
  }
}
