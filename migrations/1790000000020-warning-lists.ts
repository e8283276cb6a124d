import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Warning lists: a row a list, replaced as a whole when it changes. The cursor rises with every change of any list;
 * changes are made one after the other, so that nobody who reads up to a cursor misses one that commits later.
 */
export class WarningLists1790000000020 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE warning_lists (
        name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
        version integer NOT NULL CHECK (version > 0),
        cursor bigint NOT NULL UNIQUE CHECK (cursor > 0),
        source text NOT NULL,
        description text NOT NULL,
        entries cidr[] NOT NULL CHECK (cardinality(entries) <= 100000),
        content_hash text NOT NULL,
        expires_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        ended_at timestamptz CHECK (ended_at IS NULL OR cardinality(entries) = 0)
      )`);
    // A list is ended, never removed: members learn of its end by its cursor.
    await db.query(`GRANT SELECT, INSERT ON warning_lists TO bongsu_hub`);
    await db.query(`
      GRANT UPDATE (version, cursor, source, description, entries, content_hash, expires_at, updated_at, ended_at)
        ON warning_lists TO bongsu_hub`);
    await db.query(`ALTER TABLE warning_lists ENABLE ROW LEVEL SECURITY`);
    await db.query(`
      CREATE POLICY warning_lists_read ON warning_lists FOR SELECT TO bongsu_hub
        USING (current_principal_kind() IN ('member', 'staff'))`);
    await db.query(`
      CREATE POLICY warning_lists_add ON warning_lists FOR INSERT TO bongsu_hub
        WITH CHECK (current_principal_kind() = 'staff')`);
    await db.query(`
      CREATE POLICY warning_lists_change ON warning_lists FOR UPDATE TO bongsu_hub
        USING (current_principal_kind() = 'staff')`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE warning_lists`);
  }
}
