import type { Tx } from '@app/infrastructure/database';

/*
 * Folding remembers tokens' ids and writes rows that name them; purging takes tokens away. Many folds go together, a
 * purge goes alone.
 */
const LOCK = `hashtext('bongsu:purge')`;

/**
 * Keeps purges away until the transaction ends.
 * @returns number of the last purge; first day, in days since 1970, whose observations are kept
 */
export async function holdOffPurges(tx: Tx): Promise<{ purges: string; oldestDay: number }> {
  await tx.query(`SELECT pg_advisory_xact_lock_shared(${LOCK})`);
  // A statement of its own: one that waited for the lock would still see what stood before.
  const [row] = await tx.query<{ purges: string; oldest: number }[]>(
    'SELECT (SELECT last_value FROM token_purges) AS purges, (SELECT oldest_day FROM retention) AS oldest',
  );
  return { purges: row!.purges, oldestDay: row!.oldest };
}

/** Waits for running folds and keeps new ones away until the transaction ends. */
export async function holdOffFolds(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
}

/** Has every process forget the ids that it remembers. Needs {@link holdOffFolds}. */
export async function announcePurge(tx: Tx): Promise<void> {
  await tx.query(`SELECT nextval('token_purges')`);
}
