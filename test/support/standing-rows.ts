import type { TestDatabase } from './test-database.js';

/** What stands in the tables, told by tokens instead of by ids: one line a row, sorted, so that two runs compare. */
export interface StandingRows {
  observations: string[];
  edges: string[];
  facts: string[];
  allow: string[];
}

const SHORT = (alias: string) => `left(encode(${alias}.token, 'hex'), 8)`;

export async function standingRows(db: TestDatabase): Promise<StandingRows> {
  const lines = async (sql: string) => (await db.asOwner<{ line: string }>(sql)).map((row) => row.line).sort();
  const key = 'JOIN tokens k ON k.id =';
  return {
    observations: await lines(
      `SELECT concat_ws(' ', m.name, ${SHORT('k')}, ${SHORT('i')}, ${SHORT('c')}, 'h' || hour, 'net' || network, 'lists' || lists,
         requests || '/' || orders || '/' || rejected, active_slots || '/' || burst_slots, 'seq' || sequence) AS line
       FROM observations o ${key} o.key_id JOIN tokens i ON i.id = o.ip_id JOIN tokens c ON c.id = o.client_id
       JOIN members m ON m.id = o.member_id`,
    ),
    edges: await lines(
      `SELECT concat_ws(' ', e.kind, ${SHORT('k')}, ${SHORT('b')}, first_day || '-' || last_day) AS line
       FROM edges e ${key} e.a JOIN tokens b ON b.id = e.b`,
    ),
    facts: await lines(
      `SELECT concat_ws(' ', m.name, ${SHORT('k')}, 'owner', ${SHORT('o')}, 'type' || account_type, 'permissions' || permissions,
         f.created_at || '-' || coalesce(f.expires_at::text, 'null')) AS line
       FROM key_facts f ${key} f.key_id JOIN tokens o ON o.id = f.owner_id JOIN members m ON m.id = f.member_id`,
    ),
    allow: await lines(
      `SELECT concat_ws(' ', m.name, ${SHORT('k')}, ${SHORT('i')}, added_at || '-' || coalesce(removed_at::text, 'null')) AS line
       FROM allow_entries a ${key} a.key_id JOIN tokens i ON i.id = a.ip_id JOIN members m ON m.id = a.member_id`,
    ),
  };
}

const TABLES = [
  'erasure_keys',
  'erasures',
  'deliveries',
  'outcomes',
  'recommendations',
  'batches',
  'tokens',
  'observations',
  'ip_prefixes',
  'edges',
  'key_facts',
  'allow_entries',
  'touched',
  'day_uses',
  'key_days',
  'to_assess',
  'key_states',
  'rung_changes',
  'reports',
];

/** Empties the tables that signals, and all that follows from them, are written to. Members stay. */
export async function clearSignals(db: TestDatabase): Promise<void> {
  // One statement: DELETE is quicker than TRUNCATE where there are few rows.
  const deletes = TABLES.map((table, i) => `d${i} AS (DELETE FROM ${table})`);
  // Tokens go too: whoever remembers their ids is told so.
  await db.asOwner(`WITH ${deletes.join(', ')} SELECT nextval('token_purges')`);
}
