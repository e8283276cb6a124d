import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who sees an account is not who may change it: only staff write members, only the gate and staff write people, and only
 * the gate marks assertions as used.
 */
export class AccountWrites1790000000010 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`DROP POLICY members_seen ON members`);
    await db.query(`
      CREATE POLICY members_seen ON members FOR SELECT TO bongsu_hub USING (
        id = current_member_id() OR current_principal_kind() IN ('staff', 'gate', 'regulator'))`);
    await db.query(
      `CREATE POLICY members_add ON members FOR INSERT TO bongsu_hub WITH CHECK (current_principal_kind() = 'staff')`,
    );
    await db.query(
      `CREATE POLICY members_change ON members FOR UPDATE TO bongsu_hub USING (current_principal_kind() = 'staff')`,
    );
    await db.query(`ALTER TABLE used_assertions ENABLE ROW LEVEL SECURITY`);
    await db.query(
      `CREATE POLICY used_assertions_gate ON used_assertions TO bongsu_hub USING (current_principal_kind() = 'gate')`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP POLICY used_assertions_gate ON used_assertions`);
    await db.query(`ALTER TABLE used_assertions DISABLE ROW LEVEL SECURITY`);
    await db.query(`DROP POLICY members_change ON members`);
    await db.query(`DROP POLICY members_add ON members`);
    await db.query(`DROP POLICY members_seen ON members`);
    await db.query(`
      CREATE POLICY members_seen ON members TO bongsu_hub USING (
        id = current_member_id() OR current_principal_kind() IN ('staff', 'gate', 'regulator'))`);
  }
}
