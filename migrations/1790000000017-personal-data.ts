import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What erasing and retaining write beyond what the processes wrote before. */
const GRANTS = [
  'DELETE ON tokens, ip_prefixes, recommendations, outcomes, deliveries, key_states, rung_changes TO bongsu_worker',
  'SELECT ON rung_changes TO bongsu_worker',
  'UPDATE (payload, first_day, last_day, erased_facts) ON batches TO bongsu_worker',
  `UPDATE (key_id, key_token, reasons, explanation, customer_notice, evidence, supersedes, erased_at)
     ON recommendations TO bongsu_worker`,
  'UPDATE (note) ON outcomes TO bongsu_worker',
  'UPDATE (contacts, delivery_method, endpoint_url) ON members TO bongsu_hub',
];

/** How personal data goes: days that are dropped, tokens that are purged, erasures and their receipts. */
export class PersonalData1790000000017 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // How far retention has come. Folding leaves out what lies before oldest_day, so that no late batch brings it back.
    await db.query(`
      CREATE TABLE retention (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        oldest_day integer NOT NULL DEFAULT 0,
        swept_day integer NOT NULL DEFAULT -1
      )`);
    await db.query(`INSERT INTO retention DEFAULT VALUES`);
    // Rises with every purge of tokens: a process that remembers their ids then forgets them.
    await db.query(`CREATE SEQUENCE token_purges`);
    await db.query(`SELECT nextval('token_purges')`);
    await db.query(`
      CREATE FUNCTION drop_observation_days(before integer, most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, public AS $$
      DECLARE part text; dropped integer := 0;
      BEGIN
        IF current_principal() <> 'job:retain' OR before < 0 OR before > 60000 OR most NOT BETWEEN 1 AND 100 THEN
          RAISE EXCEPTION 'not to be dropped';
        END IF;
        FOR part IN
          SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = 'public.observations'::regclass AND c.relname ~ '^observations_[0-9]+$'
            AND substring(c.relname FROM 14)::integer < before
          ORDER BY substring(c.relname FROM 14)::integer LIMIT most
        LOOP
          EXECUTE format('DROP TABLE public.%I', part);
          dropped := dropped + 1;
        END LOOP;
        RETURN dropped;
      END $$`);
    await db.query(`REVOKE EXECUTE ON FUNCTION drop_observation_days FROM PUBLIC`);
    await db.query(`GRANT EXECUTE ON FUNCTION drop_observation_days TO bongsu_worker`);

    await db.query(`
      CREATE TABLE erasures (
        id uuid PRIMARY KEY,
        cursor bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        member_id integer NOT NULL REFERENCES members,
        kind text NOT NULL CHECK (kind IN ('key', 'owner', 'member')),
        token bytea CHECK (length(token) = 32),
        target_short text,
        reason text NOT NULL,
        requested_by text NOT NULL,
        requested_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('requested', 'done')),
        stage text NOT NULL CHECK (stage IN ('collect', 'batches', 'keys', 'done')),
        batch_cursor bigint NOT NULL DEFAULT 0,
        counts jsonb NOT NULL DEFAULT '{}',
        open_recommendations integer NOT NULL DEFAULT 0,
        highest_rung smallint NOT NULL DEFAULT 0,
        done_at timestamptz
      )`);
    await db.query(
      `CREATE UNIQUE INDEX erasures_once ON erasures (member_id, kind, token) NULLS NOT DISTINCT WHERE state = 'requested'`,
    );
    await db.query(`
      CREATE TABLE erasure_keys (
        erasure_id uuid NOT NULL REFERENCES erasures ON DELETE CASCADE,
        token bytea NOT NULL CHECK (length(token) = 32),
        PRIMARY KEY (erasure_id, token)
      )`);
    // Positions, as they were sent, of key facts that are no longer in the payload: the others keep theirs.
    await db.query(`ALTER TABLE batches ADD COLUMN erased_facts integer[] NOT NULL DEFAULT '{}'`);
    await db.query(`CREATE INDEX ip_prefixes_prefix ON ip_prefixes (prefix_id)`);
    await db.query(`ALTER TABLE recommendations ADD COLUMN evidence jsonb, ADD COLUMN erased_at timestamptz`);
    await db.query(`ALTER TABLE recommendations DROP CONSTRAINT recommendations_state_check`);
    await db.query(`
      ALTER TABLE recommendations ADD CONSTRAINT recommendations_state_check CHECK (
        state IN ('issued', 'delivered', 'acknowledged', 'executed', 'declined', 'superseded', 'withdrawn'))`);

    await db.query(`GRANT SELECT, UPDATE ON retention TO bongsu_worker`);
    await db.query(`GRANT SELECT, USAGE ON SEQUENCE token_purges TO bongsu_worker`);
    for (const grant of GRANTS) await db.query(`GRANT ${grant}`);
    // The hub hands a token in and never reads one back.
    await db.query(`GRANT INSERT ON erasures TO bongsu_hub`);
    await db.query(`
      GRANT SELECT (id, cursor, member_id, kind, target_short, reason, requested_by, requested_at, state, counts,
        open_recommendations, highest_rung, done_at) ON erasures TO bongsu_hub`);
    await db.query(`GRANT SELECT, UPDATE, DELETE ON erasures TO bongsu_worker`);
    await db.query(`GRANT SELECT, INSERT, DELETE ON erasure_keys TO bongsu_worker`);
    for (const table of ['retention', 'erasures', 'erasure_keys']) {
      await db.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
      await db.query(
        `CREATE POLICY ${table}_jobs ON ${table} TO bongsu_worker USING (current_principal_kind() = 'job')`,
      );
    }
    await db.query(`
      CREATE POLICY erasures_seen ON erasures FOR SELECT TO bongsu_hub
        USING (member_id = current_member_id() OR current_principal_kind() = 'staff')`);
    await db.query(`
      CREATE POLICY erasures_asked ON erasures FOR INSERT TO bongsu_hub WITH CHECK (requested_by = current_principal() AND (
        (member_id = current_member_id() AND kind IN ('key', 'owner'))
        OR (current_principal_kind() = 'staff' AND kind = 'member')))`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const grant of GRANTS) await db.query(`REVOKE ${grant.replace(' TO ', ' FROM ')}`);
    await db.query(`UPDATE recommendations SET state = 'superseded' WHERE state = 'withdrawn'`);
    await db.query(`ALTER TABLE recommendations DROP CONSTRAINT recommendations_state_check`);
    await db.query(`
      ALTER TABLE recommendations ADD CONSTRAINT recommendations_state_check CHECK (
        state IN ('issued', 'delivered', 'acknowledged', 'executed', 'declined', 'superseded'))`);
    await db.query(`ALTER TABLE recommendations DROP COLUMN evidence, DROP COLUMN erased_at`);
    await db.query(`DROP INDEX ip_prefixes_prefix`);
    await db.query(`ALTER TABLE batches DROP COLUMN erased_facts`);
    await db.query(`DROP FUNCTION drop_observation_days`);
    await db.query(`DROP SEQUENCE token_purges`);
    await db.query(`DROP TABLE erasure_keys, erasures, retention`);
  }
}
