import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Batches stored whole; tokens interned to integers; observations by day; edges readable from either end. */
export class Signals1790000000002 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE epochs (
        number smallint PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('active', 'closed')),
        opened_at timestamptz NOT NULL
      )`);
    await db.query(`INSERT INTO epochs VALUES (1, 'active', '2026-01-01T00:00:00Z')`);
    await db.query(`
      CREATE TABLE batches (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        member_id integer NOT NULL REFERENCES members,
        batch_id uuid NOT NULL,
        sequence bigint NOT NULL,
        epoch smallint NOT NULL REFERENCES epochs,
        purpose text NOT NULL,
        legal_basis text NOT NULL,
        received_at timestamptz NOT NULL,
        content_hash bytea NOT NULL,
        payload bytea NOT NULL,
        accepted integer NOT NULL,
        observations integer NOT NULL,
        rejected integer NOT NULL,
        rejections jsonb NOT NULL,
        notes jsonb NOT NULL DEFAULT '[]',
        first_day integer,
        last_day integer,
        state text NOT NULL CHECK (state IN ('stored', 'folded', 'withdrawing', 'withdrawn')),
        folded_at timestamptz,
        fold_attempts integer NOT NULL DEFAULT 0,
        fold_after timestamptz,
        withdraw_reason text,
        UNIQUE (member_id, batch_id),
        UNIQUE (member_id, sequence)
      )`);
    // The payload is dense already: compressing it again costs more than it saves.
    await db.query(`ALTER TABLE batches ALTER COLUMN payload SET STORAGE EXTERNAL`);
    await db.query(`CREATE INDEX batches_to_fold ON batches (id) WHERE state IN ('stored', 'withdrawing')`);
    await db.query(`
      CREATE TABLE tokens (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind smallint NOT NULL,
        member_id integer NOT NULL DEFAULT 0,
        token bytea NOT NULL CHECK (length(token) = 32),
        UNIQUE (kind, member_id, token)
      )`);
    await db.query(`
      CREATE TABLE observations (
        day integer NOT NULL,
        member_id integer NOT NULL,
        key_id integer NOT NULL,
        ip_id integer NOT NULL,
        client_id integer NOT NULL,
        hour integer NOT NULL,
        network smallint NOT NULL,
        lists smallint NOT NULL,
        requests integer NOT NULL,
        orders integer NOT NULL,
        rejected integer NOT NULL,
        active_slots smallint NOT NULL,
        burst_slots smallint NOT NULL,
        batch bigint NOT NULL,
        sequence bigint NOT NULL,
        PRIMARY KEY (day, key_id, ip_id, client_id, hour)
      ) PARTITION BY RANGE (day)`);
    await db.query(`
      CREATE FUNCTION ensure_observation_day(for_day integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, public AS $$
      DECLARE part text := 'observations_' || for_day;
      BEGIN
        IF for_day < 0 OR for_day > 60000 THEN RAISE EXCEPTION 'no such day'; END IF;
        IF to_regclass('public.' || part) IS NULL THEN
          PERFORM pg_advisory_xact_lock(hashtext('bongsu:partition'));
          EXECUTE format('CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.observations FOR VALUES FROM (%s) TO (%s)',
            part, for_day, for_day + 1);
        END IF;
      END $$`);
    await db.query(`REVOKE EXECUTE ON FUNCTION ensure_observation_day FROM PUBLIC`);
    await db.query(`GRANT EXECUTE ON FUNCTION ensure_observation_day TO bongsu_worker`);
    await db.query(`CREATE TABLE ip_prefixes (ip_id integer PRIMARY KEY, prefix_id integer NOT NULL)`);
    await db.query(`
      CREATE TABLE edges (
        kind smallint NOT NULL,
        a integer NOT NULL,
        b integer NOT NULL,
        member_id integer NOT NULL,
        first_day integer NOT NULL,
        last_day integer NOT NULL,
        PRIMARY KEY (kind, a, b)
      )`);
    await db.query(`CREATE INDEX edges_reversed ON edges (kind, b, a)`);
    await db.query(`
      CREATE TABLE key_facts (
        key_id integer PRIMARY KEY,
        member_id integer NOT NULL,
        owner_id integer NOT NULL,
        account_type smallint NOT NULL,
        permissions smallint NOT NULL,
        created_at bigint NOT NULL,
        expires_at bigint,
        batch bigint NOT NULL,
        sequence bigint NOT NULL
      )`);
    await db.query(`CREATE INDEX key_facts_owner ON key_facts (owner_id)`);
    await db.query(`
      CREATE TABLE allow_entries (
        key_id integer NOT NULL,
        ip_id integer NOT NULL,
        added_at bigint NOT NULL,
        member_id integer NOT NULL,
        removed_at bigint,
        batch bigint NOT NULL,
        sequence bigint NOT NULL,
        PRIMARY KEY (key_id, ip_id, added_at)
      )`);
    await db.query(`CREATE INDEX allow_entries_ip ON allow_entries (ip_id)`);
    // What assessment has still to look at. Rows are appended, never updated, so folding never waits for assessing.
    await db.query(`
      CREATE TABLE touched (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        key_id integer NOT NULL,
        day integer NOT NULL
      )`);

    await db.query(`GRANT SELECT ON epochs TO bongsu_hub, bongsu_worker`);
    await db.query(`GRANT SELECT, INSERT, UPDATE ON batches TO bongsu_hub`);
    await db.query(`GRANT SELECT, UPDATE ON batches TO bongsu_worker`);
    await db.query(`GRANT SELECT, INSERT ON tokens TO bongsu_worker`);
    for (const table of ['observations', 'ip_prefixes', 'edges', 'key_facts', 'allow_entries', 'touched'])
      await db.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO bongsu_worker`);

    await db.query(`ALTER TABLE batches ENABLE ROW LEVEL SECURITY`);
    await db.query(`
      CREATE POLICY batches_own ON batches TO bongsu_hub
        USING (member_id = current_member_id() OR current_principal_kind() = 'staff')
        WITH CHECK (member_id = current_member_id())`);
    await db.query(`CREATE POLICY batches_jobs ON batches TO bongsu_worker USING (current_principal_kind() = 'job')`);
    await db.query(`ALTER TABLE epochs ENABLE ROW LEVEL SECURITY`);
    await db.query(
      `CREATE POLICY epochs_all ON epochs FOR SELECT TO bongsu_hub, bongsu_worker USING (current_principal() <> '')`,
    );
    for (const table of ['tokens', 'observations', 'ip_prefixes', 'edges', 'key_facts', 'allow_entries', 'touched']) {
      await db.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
      await db.query(
        `CREATE POLICY ${table}_jobs ON ${table} TO bongsu_worker USING (current_principal_kind() = 'job')`,
      );
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP FUNCTION ensure_observation_day`);
    await db.query(
      `DROP TABLE touched, allow_entries, key_facts, edges, ip_prefixes, observations, tokens, batches, epochs`,
    );
  }
}
