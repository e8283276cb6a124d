import { runMigrations } from 'bullmq';
import pg from 'pg';

/** The schema that BullMQ's tables live in. */
export const QUEUE_SCHEMA = 'bullmq';

/** Creates or updates BullMQ's tables and lets the role `bongsu_queue` use them. `url`: the owner's. */
export async function runQueueMigrations(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${QUEUE_SCHEMA}`);
    await runMigrations(client, QUEUE_SCHEMA);
    // CREATE: BullMQ makes a sequence for the job ids of each queue at its first job.
    await client.query(`GRANT USAGE, CREATE ON SCHEMA ${QUEUE_SCHEMA} TO bongsu_queue`);
    await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${QUEUE_SCHEMA} TO bongsu_queue`);
    await client.query(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${QUEUE_SCHEMA} TO bongsu_queue`);
    await client.query(`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${QUEUE_SCHEMA} TO bongsu_queue`);
  } finally {
    await client.end();
  }
}
