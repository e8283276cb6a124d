import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How much each caller has asked for in its running minute, shared between hub processes. */
export class RateCounters1790000000015 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Unlogged: a count that a crash of PostgreSQL forgets is none the worse. The columns and their order are those that
    // rate-limiter-flexible writes; expire is in ms since 1970.
    await db.query(`
      CREATE UNLOGGED TABLE rate_counters (
        key varchar(255) PRIMARY KEY,
        points integer NOT NULL DEFAULT 0,
        expire bigint
      )`);
    await db.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON rate_counters TO bongsu_hub`);
    await db.query(`ALTER TABLE rate_counters ENABLE ROW LEVEL SECURITY`);
    await db.query(
      `CREATE POLICY rate_counters_gate ON rate_counters TO bongsu_hub USING (current_principal_kind() = 'gate')`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE rate_counters`);
  }
}
