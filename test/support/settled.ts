import type { TestDatabase } from './test-database.js';

/**
 * Waits until every transaction that has begun is over: the audit shows no row before that, and other specs share the
 * server.
 */
export async function settled(db: TestDatabase): Promise<void> {
  const [row] = await db.asOwner<{ xact: string }>('SELECT pg_current_xact_id()::text AS xact');
  for (;;) {
    const [now] = await db.asOwner<{ over: boolean }>(
      'SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 AS over',
      [row!.xact],
    );
    if (now!.over) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
