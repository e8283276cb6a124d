import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each role may write of a table: columns by name, or all but some. */
const NARROWER: [role: string, table: string, privilege: 'UPDATE' | 'SELECT', columns: string[] | { not: string[] }][] =
  [
    [
      'bongsu_hub',
      'members',
      'UPDATE',
      { not: ['id', 'name', 'created_at', 'delivery_method', 'endpoint_url', 'contacts'] },
    ],
    ['bongsu_hub', 'people', 'UPDATE', { not: ['id', 'name', 'created_at'] }],
    ['bongsu_hub', 'batches', 'SELECT', { not: ['payload', 'fold_attempts', 'fold_after'] }],
    ['bongsu_hub', 'batches', 'UPDATE', ['state', 'withdraw_reason']],
    [
      'bongsu_hub',
      'recommendations',
      'UPDATE',
      ['state', 'delivered_at', 'acknowledged_at', 'executed_at', 'declined_at'],
    ],
    ['bongsu_hub', 'deliveries', 'UPDATE', ['state', 'attempts', 'last_error']],
    ['bongsu_hub', 'key_states', 'SELECT', ['key_id', 'member_id', 'rung', 'probability', 'assessed_at', 'assessment']],
    ['bongsu_hub', 'rung_changes', 'SELECT', ['id', 'key_id', 'at', 'rung']],
    ['bongsu_worker', 'members', 'SELECT', ['id', 'name', 'state', 'delivery_method', 'endpoint_url']],
    ['bongsu_worker', 'batches', 'UPDATE', ['state', 'folded_at', 'notes', 'fold_attempts', 'fold_after']],
    [
      'bongsu_worker',
      'observations',
      'UPDATE',
      ['network', 'lists', 'requests', 'orders', 'rejected', 'active_slots', 'burst_slots', 'batch', 'sequence'],
    ],
    ['bongsu_worker', 'edges', 'UPDATE', ['first_day', 'last_day']],
    ['bongsu_worker', 'key_facts', 'UPDATE', { not: ['key_id', 'member_id'] }],
    ['bongsu_worker', 'allow_entries', 'UPDATE', ['removed_at', 'batch', 'sequence']],
    // Rows that wait are claimed with FOR UPDATE, which asks for the right to change some column.
    ['bongsu_worker', 'touched', 'UPDATE', ['day']],
    ['bongsu_worker', 'key_states', 'UPDATE', { not: ['key_id', 'member_id'] }],
    ['bongsu_worker', 'recommendations', 'UPDATE', ['state', 'delivered_at', 'acknowledged_at']],
    ['bongsu_worker', 'deliveries', 'UPDATE', ['state', 'attempts', 'next_attempt_at', 'last_error']],
  ];

/** What a role may do to a whole table and never does. */
const UNUSED: [role: string, table: string, privileges: string][] = [
  ['bongsu_worker', 'epochs', 'SELECT'],
  ['bongsu_worker', 'ip_prefixes', 'UPDATE, DELETE'],
  ['bongsu_worker', 'day_uses', 'UPDATE'],
  ['bongsu_worker', 'key_days', 'UPDATE'],
  ['bongsu_worker', 'to_assess', 'UPDATE'],
  ['bongsu_worker', 'key_states', 'DELETE'],
  ['bongsu_worker', 'rung_changes', 'SELECT, UPDATE, DELETE'],
];

/** The audit's rows say from where, and before and after, and can be read without losing one; roles get what they use. */
export class AuditAndGrants1790000000016 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await this.audit(db);
    for (const [role, table, privilege, columns] of NARROWER) {
      const names = await columnNames(db, table, columns);
      await db.query(`REVOKE ${privilege} ON ${table} FROM ${role}`);
      await db.query(`GRANT ${privilege} (${names.join(', ')}) ON ${table} TO ${role}`);
    }
    for (const [role, table, privileges] of UNUSED) await db.query(`REVOKE ${privileges} ON ${table} FROM ${role}`);

    // A report names members; nothing else of them is a regulator's.
    await db.query(`
      CREATE FUNCTION member_names() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, public AS $$
        SELECT name FROM members WHERE current_principal_kind() IN ('regulator', 'staff', 'job') ORDER BY name $$`);
    await db.query(`REVOKE EXECUTE ON FUNCTION member_names FROM PUBLIC`);
    await db.query(`GRANT EXECUTE ON FUNCTION member_names TO bongsu_hub, bongsu_worker`);
    await db.query(`DROP POLICY members_seen ON members`);
    await db.query(`
      CREATE POLICY members_seen ON members FOR SELECT TO bongsu_hub USING (
        id = current_member_id() OR current_principal_kind() IN ('staff', 'gate'))`);

    // Whether an id that a member named is another member's: for the audit of refused attempts, never for an answer.
    await db.query(`
      CREATE FUNCTION another_member_has(kind text, wanted uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, public AS $$
        SELECT current_member_id() IS NOT NULL AND CASE kind
          WHEN 'batch' THEN EXISTS (SELECT 1 FROM members m JOIN batches b ON b.member_id = m.id AND b.batch_id = wanted
                                    WHERE m.id <> current_member_id())
          WHEN 'recommendation' THEN EXISTS (SELECT 1 FROM recommendations WHERE id = wanted AND member_id <> current_member_id())
          WHEN 'event' THEN EXISTS (SELECT 1 FROM deliveries WHERE jti = wanted AND member_id <> current_member_id())
          ELSE false END $$`);
    await db.query(`REVOKE EXECUTE ON FUNCTION another_member_has FROM PUBLIC`);
    await db.query(`GRANT EXECUTE ON FUNCTION another_member_has TO bongsu_hub`);
  }

  private async audit(db: QueryRunner): Promise<void> {
    // Ids are given before a commit: who reads by id alone loses what commits late. Whoever reads up to the oldest
    // transaction that still runs, in the order of transactions, loses nothing.
    await db.query(`
      ALTER TABLE audit_log
        ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
        ADD COLUMN from_address text,
        ADD COLUMN request_id text,
        ADD COLUMN before jsonb,
        ADD COLUMN after jsonb`);
    await db.query(`CREATE UNIQUE INDEX audit_log_order ON audit_log (xact, id)`);
    await db.query(`CREATE INDEX audit_log_at ON audit_log (at)`);
    // Its place in the log is not the writer's to choose.
    await db.query(`REVOKE INSERT ON audit_log FROM bongsu_hub, bongsu_worker`);
    await db.query(`
      GRANT INSERT (at, actor, action, subject, from_address, request_id, before, after, detail)
        ON audit_log TO bongsu_hub, bongsu_worker`);
    await db.query(`
      CREATE FUNCTION current_roles() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
        AS $$ SELECT string_to_array(coalesce(current_setting('bongsu.roles', true), ''), ',') $$`);
    await db.query(`DROP POLICY audit_read ON audit_log`);
    await db.query(`
      CREATE POLICY audit_read ON audit_log FOR SELECT TO bongsu_hub
        USING (current_principal_kind() = 'staff' AND 'auditor' = ANY (current_roles()))`);
    // No role may; this is against a slip of the owner, who may.
    await db.query(`
      CREATE FUNCTION audit_log_stands() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'rows of the audit are neither changed nor removed'; END $$`);
    await db.query(`
      CREATE TRIGGER audit_log_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_stands()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP FUNCTION another_member_has, member_names`);
    await db.query(`DROP POLICY members_seen ON members`);
    await db.query(`
      CREATE POLICY members_seen ON members FOR SELECT TO bongsu_hub USING (
        id = current_member_id() OR current_principal_kind() IN ('staff', 'gate', 'regulator'))`);
    for (const [role, table, privileges] of UNUSED) await db.query(`GRANT ${privileges} ON ${table} TO ${role}`);
    for (const [role, table, privilege] of NARROWER) await db.query(`GRANT ${privilege} ON ${table} TO ${role}`);
    await db.query(`DROP TRIGGER audit_log_stands ON audit_log`);
    await db.query(`DROP FUNCTION audit_log_stands`);
    await db.query(`DROP POLICY audit_read ON audit_log`);
    await db.query(
      `CREATE POLICY audit_read ON audit_log FOR SELECT TO bongsu_hub USING (current_principal_kind() = 'staff')`,
    );
    await db.query(`DROP FUNCTION current_roles`);
    await db.query(`DROP INDEX audit_log_at`);
    await db.query(`GRANT INSERT ON audit_log TO bongsu_hub, bongsu_worker`);
    await db.query(
      `ALTER TABLE audit_log DROP COLUMN xact, DROP COLUMN from_address, DROP COLUMN request_id, DROP COLUMN before, DROP COLUMN after`,
    );
  }
}

async function columnNames(db: QueryRunner, table: string, wanted: string[] | { not: string[] }): Promise<string[]> {
  if (Array.isArray(wanted)) return wanted;
  const rows = (await db.query(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [table],
  )) as { name: string }[];
  return rows.map((row) => row.name).filter((name) => !wanted.not.includes(name));
}
