import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What following a batch and watching the work needs: the request that brought a batch, the batch that touched a key, how
 * long a key has waited, and which migrations have run. Columns are nullable or have defaults: a process of the version
 * before goes on writing without them.
 */
export class FollowingWork1790000000019 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE batches ADD COLUMN request_id text CHECK (length(request_id) <= 64)`);
    await db.query(`GRANT SELECT (request_id) ON batches TO bongsu_hub`);
    await db.query(`ALTER TABLE touched ADD COLUMN batch bigint`);
    await db.query(`ALTER TABLE to_assess ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now()`);
    // The ledger of migrations belongs to the owner alone; the processes only learn the names in it.
    await db.query(`
      CREATE FUNCTION migrations_run() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
        $$ SELECT coalesce(array_agg(name::text ORDER BY id), '{}') FROM migrations $$`);
    await db.query(`REVOKE EXECUTE ON FUNCTION migrations_run FROM PUBLIC`);
    await db.query(`GRANT EXECUTE ON FUNCTION migrations_run TO bongsu_hub, bongsu_worker`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP FUNCTION migrations_run`);
    await db.query(`ALTER TABLE to_assess DROP COLUMN queued_at`);
    await db.query(`ALTER TABLE touched DROP COLUMN batch`);
    await db.query(`ALTER TABLE batches DROP COLUMN request_id`);
  }
}
