import type { Tx } from '@app/infrastructure/database';

/** The header values that members' endpoints want: staff write them, jobs of the worker read them, nobody else. */
export abstract class MemberEndpointRepository {
  /** Sets or replaces. */
  abstract put(tx: Tx, memberId: number, authorization: string): Promise<void>;
  abstract authorizationOf(tx: Tx, memberId: number): Promise<string | null>;

  abstract remove(tx: Tx, memberId: number): Promise<void>;
}
