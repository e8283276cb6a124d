import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Roles that own nothing, and who is known: members, people, their keys; the audit; the hub's signing keys; standards. */
export class RolesAndAccounts1790000000001 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$
      DECLARE role_name text;
      BEGIN
        FOREACH role_name IN ARRAY ARRAY['bongsu_hub', 'bongsu_worker', 'bongsu_queue'] LOOP
          BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER', role_name);
          EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
          END;
        END LOOP;
      END $$`);
    await db.query(`REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    await db.query(`GRANT USAGE ON SCHEMA public TO bongsu_hub, bongsu_worker`);

    // In whose name the transaction runs (libs/infrastructure/database): '' without a principal, which matches no policy.
    await db.query(`
      CREATE FUNCTION current_principal() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
        AS $$ SELECT coalesce(current_setting('bongsu.principal', true), '') $$`);
    await db.query(`
      CREATE FUNCTION current_principal_kind() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
        AS $$ SELECT split_part(coalesce(current_setting('bongsu.principal', true), ''), ':', 1) $$`);
    await db.query(`
      CREATE FUNCTION current_member_id() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
        AS $$ SELECT nullif(current_setting('bongsu.member_id', true), '')::integer $$`);

    await db.query(`
      CREATE TABLE members (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9-]{1,30}$'),
        state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'left')),
        jwk jsonb NOT NULL,
        delivery_method text NOT NULL DEFAULT 'poll' CHECK (delivery_method IN ('push', 'poll')),
        endpoint_url text,
        contacts jsonb NOT NULL DEFAULT '[]',
        created_at timestamptz NOT NULL
      )`);
    // The header that a member's endpoint wants: written by the hub, read by the worker alone.
    await db.query(`
      CREATE TABLE member_endpoint_secrets (
        member_id integer PRIMARY KEY REFERENCES members,
        authorization_header text NOT NULL
      )`);
    await db.query(`
      CREATE TABLE people (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE,
        roles text[] NOT NULL,
        jwk jsonb NOT NULL,
        state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
        created_at timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE used_assertions (
        client_id text NOT NULL,
        jti text NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (client_id, jti)
      )`);
    await db.query(`
      CREATE TABLE signing_keys (
        kid text PRIMARY KEY,
        alg text NOT NULL,
        public_jwk jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        retired_at timestamptz
      )`);
    await db.query(`
      CREATE TABLE audit_log (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        action text NOT NULL,
        subject text NOT NULL,
        detail jsonb NOT NULL DEFAULT '{}'
      )`);
    await db.query(`
      CREATE TABLE standards (
        version text PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('in_force', 'superseded')),
        effective_from timestamptz NOT NULL,
        text_ko text NOT NULL,
        text_en text NOT NULL,
        policy jsonb NOT NULL,
        content_hash text NOT NULL
      )`);
    await db.query(`CREATE UNIQUE INDEX one_standard_in_force ON standards (state) WHERE state = 'in_force'`);

    await db.query(`GRANT SELECT, INSERT, UPDATE ON members, people TO bongsu_hub`);
    await db.query(`GRANT SELECT ON members TO bongsu_worker`);
    await db.query(`GRANT INSERT, DELETE ON member_endpoint_secrets TO bongsu_hub`);
    await db.query(`GRANT SELECT (member_id) ON member_endpoint_secrets TO bongsu_hub`);
    await db.query(`GRANT SELECT ON member_endpoint_secrets TO bongsu_worker`);
    await db.query(`GRANT SELECT, INSERT, DELETE ON used_assertions TO bongsu_hub`);
    await db.query(`GRANT SELECT, INSERT ON signing_keys TO bongsu_hub, bongsu_worker`);
    await db.query(`GRANT INSERT ON audit_log TO bongsu_hub, bongsu_worker`);
    await db.query(`GRANT SELECT ON audit_log TO bongsu_hub`);
    await db.query(`GRANT SELECT ON standards TO bongsu_hub, bongsu_worker`);

    await db.query(`ALTER TABLE members ENABLE ROW LEVEL SECURITY`);
    await db.query(`
      CREATE POLICY members_seen ON members TO bongsu_hub USING (
        id = current_member_id() OR current_principal_kind() IN ('staff', 'gate', 'regulator'))`);
    await db.query(`CREATE POLICY members_jobs ON members TO bongsu_worker USING (current_principal_kind() = 'job')`);
    await db.query(`ALTER TABLE member_endpoint_secrets ENABLE ROW LEVEL SECURITY`);
    await db.query(`
      CREATE POLICY secrets_staff ON member_endpoint_secrets TO bongsu_hub
        USING (current_principal_kind() = 'staff') WITH CHECK (current_principal_kind() = 'staff')`);
    await db.query(`
      CREATE POLICY secrets_jobs ON member_endpoint_secrets TO bongsu_worker USING (current_principal_kind() = 'job')`);
    await db.query(`ALTER TABLE people ENABLE ROW LEVEL SECURITY`);
    await db.query(`
      CREATE POLICY people_gate ON people TO bongsu_hub USING (current_principal_kind() IN ('gate', 'staff'))`);
    await db.query(`ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY`);
    await db.query(
      `CREATE POLICY audit_write ON audit_log FOR INSERT TO bongsu_hub, bongsu_worker WITH CHECK (current_principal() <> '')`,
    );
    await db.query(
      `CREATE POLICY audit_read ON audit_log FOR SELECT TO bongsu_hub USING (current_principal_kind() = 'staff')`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      `DROP TABLE standards, audit_log, signing_keys, used_assertions, people, member_endpoint_secrets, members`,
    );
    await db.query(`DROP FUNCTION current_member_id, current_principal_kind, current_principal`);
  }
}
