import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What changing the blinding key writes beyond what the processes wrote before. */
const GRANTS = [
  'INSERT (number, state, public_keys, announced_at) ON epochs TO bongsu_hub',
  'UPDATE (public_keys, asked, destroyed) ON epochs TO bongsu_hub',
  'SELECT ON epochs TO bongsu_worker',
  'UPDATE (state, asked, opened_at, closing_at, closed_at, trimmed) ON epochs TO bongsu_worker',
  'SELECT (epoch, member_id, applied_at) ON reenrolments TO bongsu_hub',
  'SELECT, DELETE, UPDATE (applied_at) ON reenrolments TO bongsu_worker',
  'SELECT, INSERT ON reenrolled TO bongsu_hub',
  'SELECT, DELETE ON reenrolled TO bongsu_worker',
  'UPDATE (token) ON tokens TO bongsu_worker',
  'UPDATE (prefix_id) ON ip_prefixes TO bongsu_worker',
];

/**
 * Epochs follow one another: announced, active, closing, closed. Members re-enrol meanwhile: pairs of a value's token in
 * the epoch that goes and in the one that comes, kept until the old epoch is closed.
 */
export class Epochs1790000000021 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE epochs DROP CONSTRAINT epochs_state_check, ALTER COLUMN opened_at DROP NOT NULL`);
    await db.query(`
      ALTER TABLE epochs
        ADD CONSTRAINT epochs_state_check CHECK (state IN ('announced', 'active', 'closing', 'closed')),
        ADD COLUMN public_keys bytea[] NOT NULL DEFAULT '{}' CHECK (cardinality(public_keys) <= 2),
        ADD COLUMN announced_at timestamptz,
        ADD COLUMN closing_at timestamptz,
        ADD COLUMN closed_at timestamptz,
        ADD COLUMN asked text CHECK (asked IN ('switch', 'close')),
        ADD COLUMN trimmed bigint NOT NULL DEFAULT 0,
        ADD COLUMN destroyed jsonb NOT NULL DEFAULT '[]'`);
    for (const state of ['announced', 'active', 'closing'])
      await db.query(`CREATE UNIQUE INDEX epochs_one_${state} ON epochs (state) WHERE state = '${state}'`);
    await db.query(`
      CREATE TABLE reenrolments (
        epoch smallint NOT NULL REFERENCES epochs,
        member_id integer NOT NULL REFERENCES members,
        kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 4),
        old_token bytea NOT NULL CHECK (length(old_token) = 32),
        new_token bytea NOT NULL CHECK (length(new_token) = 32),
        applied_at timestamptz,
        PRIMARY KEY (member_id, kind, old_token),
        UNIQUE (member_id, kind, new_token)
      )`);
    await db.query(`CREATE INDEX reenrolments_pending ON reenrolments (member_id) WHERE applied_at IS NULL`);
    await db.query(`
      CREATE TABLE reenrolled (
        epoch smallint NOT NULL REFERENCES epochs,
        member_id integer NOT NULL REFERENCES members,
        at timestamptz NOT NULL,
        PRIMARY KEY (epoch, member_id)
      )`);
    await this.functions(db);
    await db.query(`
      CREATE FUNCTION epochs_asked_by_staff() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN
          IF current_user = 'bongsu_hub' AND NEW.state <> OLD.state THEN RAISE EXCEPTION 'not to be changed here'; END IF;
          RETURN NEW;
        END $$`);
    await db.query(
      `CREATE TRIGGER epochs_asked_by_staff BEFORE UPDATE ON epochs FOR EACH ROW EXECUTE FUNCTION epochs_asked_by_staff()`,
    );
    for (const grant of GRANTS) await db.query(`GRANT ${grant}`);
    await db.query(`
      CREATE POLICY epochs_announce ON epochs FOR INSERT TO bongsu_hub
        WITH CHECK (current_principal_kind() = 'staff' AND state = 'announced')`);
    await db.query(
      `CREATE POLICY epochs_ask ON epochs FOR UPDATE TO bongsu_hub USING (current_principal_kind() = 'staff')`,
    );
    await db.query(
      `CREATE POLICY epochs_turn ON epochs FOR UPDATE TO bongsu_worker USING (current_principal_kind() = 'job')`,
    );
    for (const table of ['reenrolments', 'reenrolled']) {
      await db.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
      await db.query(
        `CREATE POLICY ${table}_jobs ON ${table} TO bongsu_worker USING (current_principal_kind() = 'job')`,
      );
      await db.query(`
        CREATE POLICY ${table}_seen ON ${table} FOR SELECT TO bongsu_hub
          USING (member_id = current_member_id() OR current_principal_kind() = 'staff')`);
    }
    await db.query(
      `CREATE POLICY reenrolled_own ON reenrolled FOR INSERT TO bongsu_hub WITH CHECK (member_id = current_member_id())`,
    );
  }

  /** Who stands on which token, and the one way by which a member claims that two tokens of its own are one value. */
  private async functions(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE FUNCTION member_stands_on(member integer, of_kind smallint, id integer) RETURNS boolean LANGUAGE sql STABLE
        SET search_path = pg_catalog, public AS $$
        SELECT CASE of_kind
          WHEN 0 THEN true
          WHEN 1 THEN EXISTS (SELECT 1 FROM edges e WHERE e.kind = 1 AND e.b = id AND e.member_id = member)
            OR EXISTS (SELECT 1 FROM allow_entries a WHERE a.ip_id = id AND a.member_id = member)
          WHEN 2 THEN EXISTS (SELECT 1 FROM ip_prefixes p WHERE p.prefix_id = id AND (
              EXISTS (SELECT 1 FROM edges e WHERE e.kind = 1 AND e.b = p.ip_id AND e.member_id = member)
              OR EXISTS (SELECT 1 FROM allow_entries a WHERE a.ip_id = p.ip_id AND a.member_id = member)))
          WHEN 3 THEN EXISTS (SELECT 1 FROM key_facts f WHERE f.owner_id = id AND f.member_id = member)
          WHEN 4 THEN EXISTS (SELECT 1 FROM edges e WHERE e.kind = 2 AND e.b = id AND e.member_id = member)
          ELSE false END $$`);
    await db.query(`
      CREATE FUNCTION reenroll(for_epoch integer, kinds smallint[], olds bytea[], news bytea[]) RETURNS text[]
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      DECLARE
        m integer := current_member_id();
        answers text[] := '{}';
        old_id integer;
        taken boolean;
      BEGIN
        IF m IS NULL OR cardinality(kinds) > 1000 THEN RAISE EXCEPTION 'not to be claimed'; END IF;
        -- One call of a member at a time: rows of two would wait for each other.
        PERFORM pg_advisory_xact_lock(hashtext('bongsu:reenrol'), m);
        FOR i IN 1..cardinality(kinds) LOOP
          IF EXISTS (SELECT 1 FROM reenrolments r WHERE r.member_id = m AND r.kind = kinds[i]
                     AND r.old_token = olds[i] AND r.new_token = news[i]) THEN
            answers := answers || 'accepted'::text;
            CONTINUE;
          END IF;
          SELECT t.id INTO old_id FROM tokens t
            WHERE t.kind = kinds[i] AND t.member_id = CASE WHEN kinds[i] = 0 THEN m ELSE 0 END AND t.token = olds[i];
          IF old_id IS NULL OR NOT member_stands_on(m, kinds[i], old_id) THEN
            answers := answers || 'unknown'::text;
            CONTINUE;
          END IF;
          -- A key has one standing: two of them cannot become one.
          taken := kinds[i] = 0 AND EXISTS (SELECT 1 FROM tokens t WHERE t.kind = 0 AND t.member_id = m AND t.token = news[i]);
          IF NOT taken THEN
            INSERT INTO reenrolments VALUES (for_epoch, m, kinds[i], olds[i], news[i], NULL) ON CONFLICT DO NOTHING;
            taken := NOT FOUND;
          END IF;
          answers := answers || CASE WHEN taken THEN 'conflict' ELSE 'accepted' END;
        END LOOP;
        RETURN answers;
      END $$`);
    await db.query(`REVOKE EXECUTE ON FUNCTION member_stands_on, reenroll FROM PUBLIC`);
    await db.query(`GRANT EXECUTE ON FUNCTION reenroll TO bongsu_hub`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TRIGGER epochs_asked_by_staff ON epochs`);
    await db.query(`DROP FUNCTION epochs_asked_by_staff, reenroll, member_stands_on`);
    for (const policy of ['epochs_announce', 'epochs_ask', 'epochs_turn'])
      await db.query(`DROP POLICY ${policy} ON epochs`);
    await db.query(`DROP TABLE reenrolled, reenrolments`);
    for (const grant of GRANTS.filter((text) => !text.includes('reenrol')))
      await db.query(`REVOKE ${grant.replace(' TO ', ' FROM ')}`);
    for (const state of ['announced', 'active', 'closing']) await db.query(`DROP INDEX epochs_one_${state}`);
    await db.query(
      `UPDATE epochs SET state = 'closed', opened_at = coalesce(opened_at, now()) WHERE state <> 'active'`,
    );
    await db.query(`
      ALTER TABLE epochs DROP COLUMN public_keys, DROP COLUMN announced_at, DROP COLUMN closing_at, DROP COLUMN closed_at,
        DROP COLUMN asked, DROP COLUMN trimmed, DROP COLUMN destroyed, DROP CONSTRAINT epochs_state_check,
        ALTER COLUMN opened_at SET NOT NULL`);
    await db.query(`ALTER TABLE epochs ADD CONSTRAINT epochs_state_check CHECK (state IN ('active', 'closed'))`);
  }
}
