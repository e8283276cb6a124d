import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the engine reads and what it found: day summaries, states of keys, recommendations, deliveries, outcomes, reports. */
export class Assessments1790000000003 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE day_uses (
        key_id integer NOT NULL,
        day integer NOT NULL,
        ip_id integer NOT NULL,
        client_id integer NOT NULL,
        hours integer NOT NULL,
        requests integer NOT NULL,
        orders integer NOT NULL,
        rejected integer NOT NULL,
        network smallint NOT NULL,
        lists smallint NOT NULL,
        PRIMARY KEY (key_id, day, ip_id, client_id)
      )`);
    await db.query(`CREATE INDEX day_uses_ip ON day_uses (ip_id, day)`);
    await db.query(`
      CREATE TABLE key_days (
        key_id integer NOT NULL,
        day integer NOT NULL,
        bursts bytea NOT NULL CHECK (length(bursts) = 36),
        concurrent smallint NOT NULL,
        active smallint NOT NULL,
        PRIMARY KEY (key_id, day)
      )`);
    await db.query(`CREATE TABLE to_assess (key_id integer PRIMARY KEY)`);
    await db.query(`
      CREATE TABLE key_states (
        key_id integer PRIMARY KEY,
        member_id integer NOT NULL REFERENCES members,
        rung smallint NOT NULL,
        since bigint NOT NULL,
        clean_since bigint,
        reverified_at bigint,
        reverification_failed boolean NOT NULL DEFAULT false,
        upheld_warnings bigint[] NOT NULL DEFAULT '{}',
        probability double precision NOT NULL,
        assessed_at bigint NOT NULL,
        policy_version text NOT NULL REFERENCES standards,
        assessment jsonb NOT NULL
      )`);
    await db.query(`CREATE INDEX key_states_due ON key_states (assessed_at)`);
    await db.query(`
      CREATE TABLE rung_changes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        key_id integer NOT NULL,
        member_id integer NOT NULL,
        at bigint NOT NULL,
        rung smallint NOT NULL
      )`);
    await db.query(`CREATE INDEX rung_changes_key ON rung_changes (key_id, id)`);
    await db.query(`
      CREATE TABLE recommendations (
        id uuid PRIMARY KEY,
        cursor bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        member_id integer NOT NULL REFERENCES members,
        key_id integer NOT NULL,
        key_token bytea NOT NULL,
        rung smallint NOT NULL,
        probability double precision NOT NULL,
        policy_version text NOT NULL,
        reasons jsonb NOT NULL,
        explanation jsonb NOT NULL,
        customer_notice jsonb NOT NULL,
        issued_at timestamptz NOT NULL,
        deadline timestamptz NOT NULL,
        supersedes uuid,
        state text NOT NULL CHECK (state IN ('issued', 'delivered', 'acknowledged', 'executed', 'declined', 'superseded')),
        delivered_at timestamptz,
        acknowledged_at timestamptz,
        executed_at timestamptz,
        declined_at timestamptz
      )`);
    await db.query(`CREATE INDEX recommendations_member ON recommendations (member_id, cursor)`);
    await db.query(`CREATE INDEX recommendations_key ON recommendations (key_id, cursor)`);
    await db.query(`
      CREATE TABLE outcomes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        recommendation_id uuid NOT NULL REFERENCES recommendations,
        member_id integer NOT NULL,
        outcome text NOT NULL,
        reason text,
        note text,
        at timestamptz NOT NULL,
        reported_at timestamptz NOT NULL,
        applied boolean NOT NULL DEFAULT false,
        UNIQUE (recommendation_id, outcome)
      )`);
    // Transactional outbox: a row per event until its receiver has acknowledged it.
    await db.query(`
      CREATE TABLE deliveries (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        jti uuid NOT NULL UNIQUE,
        recommendation_id uuid NOT NULL UNIQUE REFERENCES recommendations,
        member_id integer NOT NULL,
        state text NOT NULL CHECK (state IN ('pending', 'acknowledged', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        last_error text
      )`);
    await db.query(`CREATE INDEX deliveries_pending ON deliveries (member_id, id) WHERE state = 'pending'`);
    await db.query(`
      CREATE TABLE reports (
        period text PRIMARY KEY CHECK (period ~ '^[0-9]{4}-[0-9]{2}$'),
        body jsonb NOT NULL,
        signature text NOT NULL,
        closed_at timestamptz NOT NULL
      )`);

    const engine = ['day_uses', 'key_days', 'to_assess', 'key_states', 'rung_changes'];
    for (const table of engine) {
      await db.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO bongsu_worker`);
      await db.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
      await db.query(
        `CREATE POLICY ${table}_jobs ON ${table} TO bongsu_worker USING (current_principal_kind() = 'job')`,
      );
    }
    // Staff oversee standings in short form; the hub reads the states, never the tokens' use.
    await db.query(`GRANT SELECT ON key_states, rung_changes TO bongsu_hub`);
    await db.query(
      `CREATE POLICY key_states_staff ON key_states FOR SELECT TO bongsu_hub USING (current_principal_kind() = 'staff')`,
    );
    await db.query(
      `CREATE POLICY rung_changes_staff ON rung_changes FOR SELECT TO bongsu_hub USING (current_principal_kind() = 'staff')`,
    );
    await db.query(`GRANT SELECT (id, kind, member_id, token) ON tokens TO bongsu_hub`);
    await db.query(
      `CREATE POLICY tokens_staff ON tokens FOR SELECT TO bongsu_hub USING (kind = 0 AND current_principal_kind() = 'staff')`,
    );
    await db.query(`GRANT SELECT ON touched, to_assess TO bongsu_hub`);
    await db.query(
      `CREATE POLICY touched_staff ON touched FOR SELECT TO bongsu_hub USING (current_principal_kind() = 'staff')`,
    );
    await db.query(
      `CREATE POLICY to_assess_staff ON to_assess FOR SELECT TO bongsu_hub USING (current_principal_kind() = 'staff')`,
    );

    await db.query(`GRANT SELECT, UPDATE ON recommendations, deliveries TO bongsu_hub`);
    await db.query(`GRANT SELECT, INSERT ON outcomes TO bongsu_hub`);
    await db.query(`GRANT SELECT, INSERT, UPDATE ON recommendations, deliveries TO bongsu_worker`);
    await db.query(`CREATE INDEX outcomes_to_apply ON outcomes (id) WHERE NOT applied`);
    await db.query(`GRANT SELECT ON outcomes TO bongsu_worker`);
    await db.query(`GRANT UPDATE (applied) ON outcomes TO bongsu_worker`);
    await db.query(`GRANT SELECT ON reports TO bongsu_hub`);
    await db.query(`GRANT SELECT, INSERT ON reports TO bongsu_worker`);
    for (const table of ['recommendations', 'outcomes', 'deliveries']) {
      await db.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
      await db.query(`
        CREATE POLICY ${table}_own ON ${table} TO bongsu_hub
          USING (member_id = current_member_id() OR current_principal_kind() = 'staff')
          WITH CHECK (member_id = current_member_id())`);
      await db.query(
        `CREATE POLICY ${table}_jobs ON ${table} TO bongsu_worker USING (current_principal_kind() = 'job')`,
      );
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TABLE reports, deliveries, outcomes, recommendations, rung_changes, key_states, to_assess, key_days, day_uses`);
  }
}
