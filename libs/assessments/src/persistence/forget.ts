import type { Id } from '@app/correlation';
import type { Tx } from '@app/infrastructure/database';

/** One assessment at a time, over all workers: recommendations then commit in the order of their cursors. */
export async function holdAssessing(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('bongsu:assess'))`);
}

/** Forgets where keys stand and stood. Needs {@link holdAssessing}. */
export async function forgetStates(tx: Tx, keys: readonly Id[]): Promise<void> {
  for (const table of ['key_states', 'rung_changes', 'to_assess'])
    await tx.query(`DELETE FROM ${table} WHERE key_id = ANY ($1::int[])`, [keys]);
}

/**
 * Queues the keys with evidence of being run in step with others: they need share no address with them. What they rest
 * on beside that is counted over everybody, and comes right with their next assessment.
 */
export async function reassessInStep(tx: Tx): Promise<void> {
  await tx.query(
    `INSERT INTO to_assess SELECT key_id FROM key_states WHERE assessment->'findings' @> '[{"family": "sync"}]'
     ORDER BY key_id ON CONFLICT DO NOTHING`,
  );
}

/** Deletes states and changes of rung from before a time. */
export async function expireStates(tx: Tx, before: Date): Promise<void> {
  const seconds = Math.floor(before.getTime() / 1000);
  await tx.query('DELETE FROM key_states WHERE assessed_at < $1', [seconds]);
  await tx.query('DELETE FROM rung_changes WHERE at < $1', [seconds]);
}
