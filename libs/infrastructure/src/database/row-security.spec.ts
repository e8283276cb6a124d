import pg from 'pg';
import { addMember, type Member } from '../../../../test/support/parts.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';
import type { Principal } from './principal.js';

const ROLES = ['bongsu_hub', 'bongsu_worker'] as const;
/** What a forgotten principal looks like: settings that match no policy. */
const NOBODY = { kind: '', name: '' } as unknown as Principal;
/** Tables without anything of a member: what every process may read. */
/** The migrations' own ledger, which no process's role may read. */
const LEDGER = ['migrations'];
/** Tables that hold nothing of a member: open to every principal that their policy names, to nobody without one. */
const COMMON = ['epochs', 'migrations', 'reports', 'signing_keys', 'standards'];

describe('row-level security', () => {
  let db: TestDatabase;
  let tables: string[];
  let upbit: Member;
  let bithumb: Member;

  beforeAll(async () => {
    db = await createTestDatabase();
    upbit = await addMember(db, 'upbit', { url: 'http://127.0.0.1:9/', authorization: 'Bearer x' });
    bithumb = await addMember(db, 'bithumb', { url: 'http://127.0.0.1:9/', authorization: 'Bearer y' });
    await db.asOwner('SELECT ensure_observation_day(20605)');
    const rows = await db.asOwner<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
         AND NOT c.relispartition ORDER BY 1`,
    );
    tables = rows.map((row) => row.name);
    for (const member of [upbit, bithumb]) await fill(db, member);
  });
  afterAll(() => db?.close());

  it('is on for every table but the ledger of migrations', async () => {
    const open = await db.asOwner<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND NOT relispartition AND NOT relrowsecurity ORDER BY 1`,
    );
    expect(open.map((row) => row.name)).toEqual(LEDGER);
  });

  it('covers partitions: no role reaches one but through its parent', async () => {
    const granted = await db.asOwner(
      `SELECT c.relname, r.role FROM pg_class c, unnest($1::text[]) r (role)
       WHERE c.relnamespace = 'public'::regnamespace AND c.relispartition
         AND has_table_privilege(r.role, c.oid, 'SELECT, INSERT, UPDATE, DELETE')`,
      [ROLES],
    );
    expect(
      await db.asOwner(`SELECT 1 FROM pg_class WHERE relispartition AND relname = 'observations_20605'`),
    ).toHaveLength(1);
    expect(granted).toEqual([]);
  });

  it('shows no row of any such table without a principal, to either role', async () => {
    const seen: string[] = [];
    let looked = 0;
    for (const role of ROLES) {
      const client = await connect(db.url, role);
      try {
        for (const table of tables.filter((name) => !COMMON.includes(name))) {
          expect(await db.asOwner(`SELECT 1 FROM ${table} LIMIT 1`)).toEqual([{ '?column?': 1 }]);
          if (!(await maySelect(db, role, table))) continue;
          looked++;
          const { rowCount } = await client.query(`SELECT 1 FROM ${table}`);
          if (rowCount) seen.push(`${role} ${table}`);
        }
      } finally {
        await client.end();
      }
      const database = role === 'bongsu_hub' ? db.hub : db.worker;
      for (const table of ['batches', 'recommendations', 'outcomes', 'deliveries', 'members'])
        expect(await database.transaction(NOBODY, (tx) => tx.query(`SELECT 1 FROM ${table}`))).toEqual([]);
    }
    expect(seen).toEqual([]);
    expect(looked).toBeGreaterThan(25);
  });

  it.each(['batches', 'recommendations', 'outcomes', 'deliveries'])('shows a member its own %s only', async (table) => {
    const all = await db.asOwner(`SELECT DISTINCT member_id FROM ${table} ORDER BY 1`);
    expect(all).toEqual([{ member_id: upbit.memberId }, { member_id: bithumb.memberId }]);
    for (const member of [upbit, bithumb]) {
      const seen = await db.hub.transaction(member, (tx) => tx.query(`SELECT DISTINCT member_id FROM ${table}`));
      expect(seen).toEqual([{ member_id: member.memberId }]);
    }
  });

  it('lets a member change nothing of another’s, nor write in its name', async () => {
    const changed = await db.hub.transaction(upbit, (tx) =>
      tx.query(`UPDATE recommendations SET state = 'declined' WHERE member_id = $1`, [bithumb.memberId]),
    );
    expect(changed).toEqual([[], 0]);
    const forged = db.hub.transaction(upbit, (tx) =>
      tx.query(`UPDATE deliveries SET member_id = $1`, [bithumb.memberId]),
    );
    await expect(forged).rejects.toThrow(/row-level security/);
    const outcome = db.hub.transaction(upbit, (tx) =>
      tx.query(
        `INSERT INTO outcomes (recommendation_id, member_id, outcome, at, reported_at)
         SELECT id, $1, 'declined', now(), now() FROM recommendations`,
        [bithumb.memberId],
      ),
    );
    await expect(outcome).rejects.toThrow(/row-level security/);
  });

  it('keeps a principal within its transaction, also on a connection that is used again', async () => {
    for (let i = 0; i < 6; i++) {
      await db.hub.transaction(upbit, (tx) => tx.query('SELECT 1'));
      expect(await db.hub.transaction(NOBODY, (tx) => tx.query('SELECT 1 FROM batches'))).toEqual([]);
    }
    await expect(
      db.hub.transaction(upbit, async () => {
        throw new Error('on purpose');
      }),
    ).rejects.toThrow('on purpose');
    expect(await db.hub.transaction(NOBODY, (tx) => tx.query('SELECT 1 FROM batches'))).toEqual([]);
  });

  it('holds for roles that own nothing and can become nothing more', async () => {
    const owned = await db.asOwner(
      `SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname LIKE 'bongsu%'
         AND c.relnamespace = 'public'::regnamespace
       UNION ALL SELECT p.proname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE r.rolname LIKE 'bongsu%'`,
    );
    expect(owned).toEqual([]);
    const strong = await db.asOwner(
      `SELECT rolname FROM pg_roles WHERE rolname LIKE 'bongsu%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)`,
    );
    expect(strong).toEqual([]);
    for (const role of ROLES) {
      const client = await connect(db.url, role);
      try {
        await expect(client.query('CREATE TABLE mine (a int)')).rejects.toThrow(/permission denied/);
        await expect(client.query('ALTER TABLE batches DISABLE ROW LEVEL SECURITY')).rejects.toThrow(/must be owner/);
        await expect(client.query('SET ROLE postgres')).rejects.toThrow(/permission denied/);
      } finally {
        await client.end();
      }
    }
  });

  it('keeps the audit append-only', async () => {
    const staff: Principal = { kind: 'staff', name: 'kim' };
    for (const sql of [`UPDATE audit_log SET actor = 'x'`, 'DELETE FROM audit_log', 'TRUNCATE audit_log'])
      for (const database of [db.hub, db.worker])
        await expect(database.transaction(staff, (tx) => tx.query(sql))).rejects.toThrow(/permission denied/);
    const client = await connect(db.url, 'bongsu_hub');
    try {
      await expect(
        client.query(`INSERT INTO audit_log (at, actor, action, subject) VALUES (now(), 'staff:kim', 'a', 'b')`),
      ).rejects.toThrow(/row-level security/);
    } finally {
      await client.end();
    }
  });
});

async function connect(url: string, role: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, options: `-c role=${role}` });
  await client.connect();
  return client;
}

async function maySelect(db: TestDatabase, role: string, table: string): Promise<boolean> {
  const [row] = await db.asOwner<{ may: boolean }>(`SELECT has_table_privilege($1, $2, 'SELECT') AS may`, [
    role,
    table,
  ]);
  return row!.may;
}

/** A row of a member in every table that can hold one. */
async function fill(db: TestDatabase, { memberId: m, name }: Member): Promise<void> {
  const key = m;
  const statements = [
    `INSERT INTO tokens (kind, member_id, token) VALUES (0, ${m}, sha256('${name}'))`,
    `INSERT INTO batches (member_id, batch_id, sequence, epoch, purpose, legal_basis, received_at, content_hash, payload,
       accepted, observations, rejected, rejections, state)
     VALUES (${m}, gen_random_uuid(), 1, 1, 'p', 'l', now(), '', '', 0, 0, 0, '[]', 'stored')`,
    `INSERT INTO observations VALUES (20605, ${m}, ${key}, 1, 1, 494520, 0, 0, 1, 0, 0, 1, 0, 1, 1)`,
    `INSERT INTO ip_prefixes VALUES (${key}, 1)`,
    `INSERT INTO edges VALUES (1, ${key}, 1, ${m}, 1, 1)`,
    `INSERT INTO key_facts VALUES (${key}, ${m}, 1, 0, 1, 1, NULL, 1, 1)`,
    `INSERT INTO allow_entries VALUES (${key}, 1, 1, ${m}, NULL, 1, 1)`,
    `INSERT INTO touched (key_id, day) VALUES (${key}, 1)`,
    `INSERT INTO day_uses VALUES (${key}, 1, 1, 1, 1, 1, 1, 0, 0, 0)`,
    `INSERT INTO key_days VALUES (${key}, 1, decode(repeat('00', 36), 'hex'), 0, 0)`,
    `INSERT INTO to_assess VALUES (${key})`,
    `INSERT INTO key_states (key_id, member_id, rung, since, probability, assessed_at, policy_version, assessment)
     SELECT ${key}, ${m}, 1, 1, 0.5, 1, version, '{}' FROM standards LIMIT 1`,
    `INSERT INTO rung_changes (key_id, member_id, at, rung) VALUES (${key}, ${m}, 1, 1)`,
    `INSERT INTO recommendations (id, member_id, key_id, key_token, rung, probability, policy_version, reasons, explanation,
       customer_notice, issued_at, deadline, state)
     VALUES (gen_random_uuid(), ${m}, ${key}, sha256('${name}'), 1, 0.5, '1.0.0', '[]', '{}', '{}', now(), now(), 'issued')`,
    `INSERT INTO outcomes (recommendation_id, member_id, outcome, at, reported_at)
     SELECT id, member_id, 'executed', now(), now() FROM recommendations WHERE member_id = ${m}`,
    `INSERT INTO deliveries (jti, recommendation_id, member_id, state, next_attempt_at)
     SELECT gen_random_uuid(), id, member_id, 'pending', now() FROM recommendations WHERE member_id = ${m}`,
    `INSERT INTO people (name, roles, jwk, created_at) VALUES ('person-${name}', '{auditor}', '{}', now())`,
    `INSERT INTO used_assertions VALUES ('member:${name}', 'j', now())`,
    `INSERT INTO rate_counters VALUES ('caller:member:${name}', 1, 0)`,
    `INSERT INTO erasures (id, member_id, kind, reason, requested_by, requested_at, state, stage)
     VALUES (gen_random_uuid(), ${m}, 'member', 'r', 'staff:x', now(), 'requested', 'collect')`,
    `INSERT INTO erasure_keys SELECT id, sha256('${name}') FROM erasures WHERE member_id = ${m}`,
    `INSERT INTO audit_log (at, actor, action, subject) VALUES (now(), 'member:${name}', 'a', 'b')`,
    `INSERT INTO warning_lists VALUES ('of ${name}', 1, ${m}, 's', '', '{1.1.1.1/32}', 'h', now(), now(), NULL)`,
  ];
  for (const statement of statements) await db.asOwner(statement);
}
