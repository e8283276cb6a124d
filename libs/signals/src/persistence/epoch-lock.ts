import type { Tx } from '@app/infrastructure/database';

const LOCK = `hashtext('bongsu:epochs')`;

/** Keeps epochs' states as they are until the transaction ends: what was taken in one is taken before it is closed. */
export async function holdEpochs(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock_shared(${LOCK})`);
}

/** Waits for those who count on an epoch's state, and keeps others away until the transaction ends. */
export async function turnEpochs(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
}
