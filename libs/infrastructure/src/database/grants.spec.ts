import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';

/** Privileges on a table: '*' for the whole of it, or the columns. */
type Grants = Partial<Record<'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE', string>>;

/** What each role that processes run as may do, and why. What is not here is not granted. */
const GRANTED: Record<string, Record<string, Grants & { why: string }>> = {
  bongsu_hub: {
    audit_log: {
      INSERT: 'action, actor, after, at, before, detail, from_address, request_id, subject',
      SELECT: '*',
      why: 'every change and refusal is recorded; auditors read (row-level security: the role auditor alone)',
    },
    batches: {
      INSERT: '*',
      SELECT:
        'accepted, batch_id, content_hash, epoch, first_day, folded_at, id, last_day, legal_basis, member_id, notes, observations, purpose, received_at, rejected, rejections, request_id, sequence, state, withdraw_reason',
      UPDATE: 'state, withdraw_reason',
      why: 'takes batches in, answers with receipts, withdraws; never reads rows back',
    },
    deliveries: {
      SELECT: '*',
      UPDATE: 'attempts, last_error, state',
      why: 'polls are answered, acknowledged and refused',
    },
    erasures: {
      INSERT: '*',
      SELECT:
        'counts, cursor, done_at, highest_rung, id, kind, member_id, open_recommendations, reason, requested_at, requested_by, state, target_short',
      why: 'members ask, and read their receipts; a token is handed in and never read back',
    },
    epochs: {
      INSERT: 'announced_at, number, public_keys, state',
      SELECT: '*',
      UPDATE: 'asked, destroyed, public_keys',
      why: 'batches and pairs go by epochs; staff announce, ask for a turn, and record destructions',
    },
    key_states: {
      SELECT: 'assessed_at, assessment, key_id, member_id, probability, rung',
      why: 'staff oversee standings',
    },
    member_endpoint_secrets: {
      DELETE: '*',
      INSERT: '*',
      SELECT: 'member_id',
      why: 'staff hand the header in; nobody reads it back here',
    },
    members: {
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'contacts, delivery_method, endpoint_url, jwk, previous_jwk, previous_until, state',
      why: 'staff register, suspend and end, members change their key; callers are told apart',
    },
    outcomes: { INSERT: '*', SELECT: '*', why: 'members report and read what they reported' },
    people: {
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'jwk, roles, state',
      why: 'the file of people is brought in at start; callers are told apart',
    },
    rate_counters: {
      SELECT: '*',
      INSERT: '*',
      UPDATE: '*',
      DELETE: '*',
      why: 'requests of a caller are counted over all hubs (row-level security: the gate alone)',
    },
    recommendations: {
      SELECT: '*',
      UPDATE: 'acknowledged_at, declined_at, delivered_at, executed_at, state',
      why: 'members read theirs, and settle them by acknowledging and reporting',
    },
    reenrolled: { INSERT: '*', SELECT: '*', why: 'a member says that it has no more pairs; staff see who has' },
    reenrolments: {
      SELECT: 'applied_at, epoch, member_id',
      why: 'counts alone: pairs are handed in through a function and never read back',
    },
    reports: { SELECT: '*', why: 'regulators and staff read closed months' },
    rung_changes: { SELECT: 'at, id, key_id, rung', why: 'staff oversee the history of standings' },
    signing_keys: {
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'retired_at, stolen',
      why: 'a process enters its keys and publishes all; staff retire them',
    },
    standards: { SELECT: '*', why: 'everyone reads the standard in force' },
    to_assess: { SELECT: '*', why: 'staff see how much waits' },
    tokens: {
      SELECT: 'id, kind, member_id, token',
      why: 'standings name keys in short form (row-level security: keys, for staff)',
    },
    touched: { SELECT: '*', why: 'staff see how much waits' },
    used_assertions: { DELETE: '*', INSERT: '*', SELECT: '*', why: 'an assertion counts once' },
    warning_lists: {
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'content_hash, cursor, description, ended_at, entries, expires_at, source, updated_at, version',
      why: 'staff publish and end lists, members read them',
    },
  },
  bongsu_worker: {
    allow_entries: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'batch, removed_at, sequence',
      why: 'fold writes entries, undoing a batch removes them',
    },
    audit_log: {
      INSERT: 'action, actor, after, at, before, detail, from_address, request_id, subject',
      why: 'changes by jobs are recorded; jobs read none',
    },
    batches: {
      SELECT: '*',
      UPDATE: 'erased_facts, first_day, fold_after, fold_attempts, folded_at, last_day, notes, payload, state',
      why: 'fold reads what was sent and marks it; what is erased or too old is taken out of it',
    },
    day_uses: { DELETE: '*', INSERT: '*', SELECT: '*', why: 'days are summarised anew: removed and written' },
    deliveries: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'attempts, last_error, next_attempt_at, state',
      why: 'issuing fills the outbox, delivery marks attempts, retention removes',
    },
    edges: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'first_day, last_day',
      why: 'fold keeps edges current, undoing a batch rebuilds them',
    },
    epochs: {
      SELECT: '*',
      UPDATE: 'asked, closed_at, closing_at, opened_at, state, trimmed',
      why: 'epochs are turned as staff asked',
    },
    erasure_keys: { DELETE: '*', INSERT: '*', SELECT: '*', why: 'keys of an erasure wait here while it runs' },
    erasures: { DELETE: '*', SELECT: '*', UPDATE: '*', why: 'erasing goes on where it stopped; old receipts go' },
    ip_prefixes: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'prefix_id',
      why: 'fold writes the first word; it goes with its token; a change of the blinding key may move it',
    },
    key_days: { DELETE: '*', INSERT: '*', SELECT: '*', why: 'days are summarised anew: removed and written' },
    key_facts: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'account_type, batch, created_at, expires_at, owner_id, permissions, sequence',
      why: 'fold merges facts, undoing a batch removes them',
    },
    key_states: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE:
        'assessed_at, assessment, clean_since, policy_version, probability, reverification_failed, reverified_at, rung, since, upheld_warnings',
      why: 'assessment keeps what it remembers of a key; erasing and retention remove it',
    },
    member_endpoint_secrets: { SELECT: '*', why: 'delivery sends the header that an endpoint wants' },
    members: {
      SELECT: 'delivery_method, endpoint_url, id, name, state',
      why: 'delivery needs the endpoint; neither keys nor contacts',
    },
    observations: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'active_slots, batch, burst_slots, lists, network, orders, rejected, requests, sequence',
      why: 'fold writes observations, undoing a batch removes them',
    },
    outcomes: {
      DELETE: '*',
      SELECT: '*',
      UPDATE: 'applied, note',
      why: 'assessment takes outcomes in once; an erased key’s notes go',
    },
    recommendations: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE:
        'acknowledged_at, customer_notice, delivered_at, erased_at, evidence, explanation, key_id, key_token, reasons, state, supersedes',
      why: 'assessment issues and supersedes, delivery marks, erasing empties, retention removes',
    },
    reenrolled: { DELETE: '*', SELECT: '*', why: 'goes with its epoch' },
    reenrolments: {
      DELETE: '*',
      SELECT: '*',
      UPDATE: 'applied_at',
      why: 'pairs are carried over once, and go with the epoch or with what is erased',
    },
    reports: { INSERT: '*', SELECT: '*', why: 'a month is closed once and never changed' },
    retention: { SELECT: '*', UPDATE: '*', why: 'how far retention has come' },
    rung_changes: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      why: 'assessment notes each change; erasing and retention remove it',
    },
    signing_keys: { INSERT: '*', SELECT: '*', why: 'a process enters its key; events are signed' },
    standards: { SELECT: '*', why: 'assessment runs the policy in force' },
    to_assess: { DELETE: '*', INSERT: '*', SELECT: '*', why: 'keys wait here to be assessed' },
    tokens: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'token',
      why: 'fold gives tokens their numbers; a change of the blinding key gives them new values; those that nothing refers to are purged',
    },
    touched: {
      DELETE: '*',
      INSERT: '*',
      SELECT: '*',
      UPDATE: 'day',
      why: 'what fold touched waits here; claimed with FOR UPDATE, which asks for the right to change some column',
    },
  },
};

/** Functions that see more than their caller, or make something; who may call them. */
const CALLABLE: Record<string, string[]> = {
  another_member_has: ['bongsu_hub'],
  drop_observation_days: ['bongsu_worker'],
  ensure_observation_day: ['bongsu_worker'],
  member_names: ['bongsu_hub', 'bongsu_worker'],
  migrations_run: ['bongsu_hub', 'bongsu_worker'],
  reenroll: ['bongsu_hub'],
  report_counts: ['bongsu_hub', 'bongsu_worker'],
};

describe('what the roles of processes are granted', () => {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db?.close());

  it.each(Object.keys(GRANTED))('is what %s uses and no more: a wider grant needs its reason here', async (role) => {
    const rows = await db.asOwner<{ table: string; privilege: keyof Grants; columns: string }>(
      `WITH granted AS (
         SELECT c.relname, a.privilege_type, '*' AS col FROM pg_class c, aclexplode(c.relacl) a
         WHERE a.grantee IN (0, $1::regrole) AND c.relnamespace = 'public'::regnamespace AND c.relkind <> 'S'
         UNION ALL
         SELECT c.relname, a.privilege_type, t.attname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
         WHERE a.grantee IN (0, $1::regrole) AND c.relnamespace = 'public'::regnamespace)
       SELECT relname AS table, privilege_type AS privilege, string_agg(col, ', ' ORDER BY col COLLATE "C") AS columns
       FROM granted GROUP BY 1, 2 ORDER BY 1, 2`,
      [role],
    );
    const granted: Record<string, Grants> = {};
    for (const { table, privilege, columns } of rows) (granted[table] ??= {})[privilege] = columns;
    const wanted = Object.entries(GRANTED[role]!).map(([table, { why: _why, ...grants }]) => [table, grants]);
    expect(granted).toEqual(Object.fromEntries(wanted));
  });

  it('is nothing outside their schema: not the queue’s tables, not the migrations’ ledger', async () => {
    const reached = await db.asOwner(
      `SELECT n.nspname, c.relname, r.role FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
         unnest($1::text[]) r (role)
       WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
         AND (n.nspname <> 'public' OR c.relname = 'migrations')
         AND has_any_column_privilege(r.role, c.oid, 'SELECT, INSERT, UPDATE') AND has_schema_privilege(r.role, n.oid, 'USAGE')`,
      [Object.keys(GRANTED)],
    );
    expect(reached).toEqual([]);
  });

  it('is to call few functions that run with the owner’s rights', async () => {
    const rows = await db.asOwner<{ name: string; callers: string[] }>(
      `SELECT p.proname AS name, array(SELECT r.role FROM unnest($1::text[]) r (role)
         WHERE has_function_privilege(r.role, p.oid, 'EXECUTE') ORDER BY 1) AS callers
       FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef ORDER BY 1`,
      [Object.keys(GRANTED)],
    );
    expect(Object.fromEntries(rows.map(({ name, callers }) => [name, callers]))).toEqual(CALLABLE);
  });
});
