import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a report counts: a function that sees all members' recommendations and returns counts, nothing else. */
export class Reports1790000000012 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE FUNCTION report_counts(from_time timestamptz, to_time timestamptz)
      RETURNS TABLE (member text, rung integer, issued integer, delivered integer, acknowledged integer, executed integer, declined integer)
      LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        SELECT m.name, r.rung::integer, count(*)::integer, count(r.delivered_at)::integer, count(r.acknowledged_at)::integer,
          count(r.executed_at)::integer, count(r.declined_at)::integer
        FROM recommendations r JOIN members m ON m.id = r.member_id
        WHERE r.issued_at >= from_time AND r.issued_at < to_time
          AND current_principal_kind() IN ('regulator', 'staff', 'job')
        GROUP BY m.name, r.rung
      $$`);
    await db.query(`REVOKE EXECUTE ON FUNCTION report_counts FROM PUBLIC`);
    await db.query(`GRANT EXECUTE ON FUNCTION report_counts TO bongsu_hub, bongsu_worker`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP FUNCTION report_counts`);
  }
}
