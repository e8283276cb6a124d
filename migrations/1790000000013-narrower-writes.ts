import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The database's own word on what code already keeps to: an outcome is about a recommendation to oneself, an audit row
 * names who wrote it, signing keys are entered by the gate, and without a principal nothing at all is read.
 */
export class NarrowerWrites1790000000013 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`DROP POLICY outcomes_own ON outcomes`);
    await db.query(`
      CREATE POLICY outcomes_own ON outcomes TO bongsu_hub
        USING (member_id = current_member_id() OR current_principal_kind() = 'staff')
        WITH CHECK (member_id = current_member_id() AND EXISTS (
          SELECT 1 FROM recommendations r WHERE r.id = recommendation_id AND r.member_id = current_member_id()))`);
    await db.query(`DROP POLICY audit_write ON audit_log`);
    await db.query(`
      CREATE POLICY audit_write ON audit_log FOR INSERT TO bongsu_hub, bongsu_worker
        WITH CHECK (current_principal_kind() IN ('gate', 'job') OR (current_principal() <> '' AND actor = current_principal()))`);
    await db.query(`ALTER TABLE signing_keys ENABLE ROW LEVEL SECURITY`);
    await db.query(`
      CREATE POLICY signing_keys_read ON signing_keys FOR SELECT TO bongsu_hub, bongsu_worker USING (current_principal() <> '')`);
    await db.query(`
      CREATE POLICY signing_keys_enter ON signing_keys FOR INSERT TO bongsu_hub, bongsu_worker
        WITH CHECK (current_principal_kind() = 'gate')`);
    await db.query(`ALTER TABLE standards ENABLE ROW LEVEL SECURITY`);
    await db.query(`
      CREATE POLICY standards_read ON standards FOR SELECT TO bongsu_hub, bongsu_worker USING (current_principal() <> '')`);
    await db.query(`ALTER TABLE reports ENABLE ROW LEVEL SECURITY`);
    await db.query(`
      CREATE POLICY reports_read ON reports FOR SELECT TO bongsu_hub USING (current_principal_kind() IN ('regulator', 'staff'))`);
    await db.query(`CREATE POLICY reports_jobs ON reports TO bongsu_worker USING (current_principal_kind() = 'job')`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const [policy, table] of [
      ['reports_jobs', 'reports'],
      ['reports_read', 'reports'],
      ['standards_read', 'standards'],
      ['signing_keys_enter', 'signing_keys'],
      ['signing_keys_read', 'signing_keys'],
      ['audit_write', 'audit_log'],
      ['outcomes_own', 'outcomes'],
    ] as const)
      await db.query(`DROP POLICY ${policy} ON ${table}`);
    for (const table of ['reports', 'standards', 'signing_keys'])
      await db.query(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
    await db.query(`
      CREATE POLICY audit_write ON audit_log FOR INSERT TO bongsu_hub, bongsu_worker WITH CHECK (current_principal() <> '')`);
    await db.query(`
      CREATE POLICY outcomes_own ON outcomes TO bongsu_hub
        USING (member_id = current_member_id() OR current_principal_kind() = 'staff')
        WITH CHECK (member_id = current_member_id())`);
  }
}
