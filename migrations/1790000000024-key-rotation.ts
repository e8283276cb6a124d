import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys change: the hub's by staff, a member's by itself, which may change that of its own row and nothing more. */
export class KeyRotation1790000000024 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE signing_keys ADD COLUMN stolen boolean NOT NULL DEFAULT false`);
    await db.query(`GRANT UPDATE (retired_at, stolen) ON signing_keys TO bongsu_hub`);
    await db.query(`
      CREATE POLICY signing_keys_retire ON signing_keys FOR UPDATE TO bongsu_hub USING (current_principal_kind() = 'staff')`);

    await db.query(`
      ALTER TABLE members ADD COLUMN previous_jwk jsonb, ADD COLUMN previous_until timestamptz,
        ADD CHECK ((previous_jwk IS NULL) = (previous_until IS NULL))`);
    await db.query(`GRANT UPDATE (jwk, previous_jwk, previous_until) ON members TO bongsu_hub`);
    await db.query(`
      CREATE POLICY members_own_key ON members FOR UPDATE TO bongsu_hub
        USING (id = current_member_id()) WITH CHECK (id = current_member_id())`);
    // Row-level security knows rows, not columns.
    await db.query(`
      CREATE FUNCTION members_only_own_key() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE key_columns text[] := ARRAY['jwk', 'previous_jwk', 'previous_until'];
      BEGIN
        IF current_principal_kind() = 'member' AND to_jsonb(NEW) - key_columns IS DISTINCT FROM to_jsonb(OLD) - key_columns THEN
          RAISE EXCEPTION 'a member may change its key only' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER members_only_own_key BEFORE UPDATE ON members FOR EACH ROW EXECUTE FUNCTION members_only_own_key()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TRIGGER members_only_own_key ON members`);
    await db.query(`DROP FUNCTION members_only_own_key`);
    await db.query(`DROP POLICY members_own_key ON members`);
    await db.query(`ALTER TABLE members DROP COLUMN previous_jwk, DROP COLUMN previous_until`);
    await db.query(`DROP POLICY signing_keys_retire ON signing_keys`);
    await db.query(`REVOKE UPDATE (retired_at, stolen) ON signing_keys FROM bongsu_hub`);
    await db.query(`ALTER TABLE signing_keys DROP COLUMN stolen`);
  }
}
