import type { Tx } from '@app/infrastructure/database';

/** What went of what had been made of some keys. */
export interface Forgotten {
  /** Recommendations that were reduced to what an auditor needs. */
  recommendations: number;
  /** Those of them that were still to be acted on. */
  open: number;
  /** Highest rung among the open ones, 1 to 4; 0 for none. */
  highestRung: number;
}

/**
 * What other parts made of keys' signals (states, recommendations), and how it goes. They stand above this part, so
 * they are reached through this port.
 */
export abstract class KeyFollowers {
  /** Waits until nothing makes anything of signals, and keeps it so until the transaction ends. */
  abstract hold(tx: Tx): Promise<void>;

  /** Forgets keys (ids) of one member. Needs {@link hold}. */
  abstract forgetKeys(tx: Tx, memberId: number, keys: readonly number[], at: Date): Promise<Forgotten>;

  /** Gives what addresses members by a key's token the key's new one. Needs {@link hold}. */
  abstract renamed(tx: Tx, keys: readonly number[]): Promise<void>;

  /** Stops what waits to be handed over to a member that has left. */
  abstract leave(tx: Tx, memberId: number): Promise<void>;

  /** Has keys assessed again that may have stood on signals of others without sharing an address. */
  abstract reassessUnlinked(tx: Tx): Promise<void>;

  /** Deletes what is older than `before`, at most `most` recommendations. @returns whether more may be left */
  abstract expire(tx: Tx, before: Date, most: number): Promise<boolean>;
}
