import { Module } from '@nestjs/common';
import { Args, Query, Resolver } from '@nestjs/graphql';
import { Database, type Principal } from '@app/infrastructure/database';
import { Allow, By } from '../apps/hub/src/auth/allow.decorator.js';
import { JsonScalar } from '../apps/hub/src/graphql/scalars.js';
import type { RunningHub } from '../apps/hub/src/start-hub.js';
import { fillEveryTable } from './support/every-table.js';
import { graphql, tokenOf, type HubCaller } from './support/http-client.js';
import { privateJwk, publicJwk } from './support/parts.js';
import { startHubOn } from './support/running-hub.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

/** What the wall stands for: a resolver that lets everybody in and selects everything that its role can, of any table. */
@Resolver()
class BrokenResolver {
  constructor(private readonly database: Database) {}

  @Allow('standard.read')
  @Query(() => JsonScalar)
  everything(@By() by: Principal, @Args('table') table: string): Promise<unknown> {
    return this.database.transaction(by, async (tx) => {
      const columns = await tx.query<{ name: string }[]>(
        `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
           AND has_column_privilege($1::regclass, attnum, 'SELECT')`,
        [table],
      );
      if (columns.length === 0) return [];
      return tx.query(`SELECT ${columns.map((c) => c.name).join(', ')} FROM ${table}`);
    });
  }
}

@Module({ providers: [BrokenResolver] })
class BrokenModule {}

const caller = (clientId: string): HubCaller => ({ clientId, jwk: privateJwk() });
const CALLERS = {
  upbit: caller('member:upbit'),
  regulator: caller('regulator:park'),
  operator: caller('staff:kim'),
  auditor: caller('staff:cho'),
};

/** In which tables each kind of caller comes to see rows of members, its own or others': all that such a bug can show. */
const OVERSEEN = [
  'batches',
  'deliveries',
  'erasures',
  'key_states',
  'member_endpoint_secrets',
  'members',
  'outcomes',
  'recommendations',
  'reenrolled',
  'reenrolments',
  'rung_changes',
  'to_assess',
  'tokens',
  'touched',
];
const SEEN: Record<keyof typeof CALLERS, string[]> = {
  upbit: ['batches', 'deliveries', 'erasures', 'members', 'outcomes', 'recommendations', 'reenrolled', 'reenrolments'],
  regulator: [],
  operator: OVERSEEN,
  auditor: ['audit_log', ...OVERSEEN],
};

type Row = Record<string, unknown>;

/** Whose a row is, by the fields that say so; undefined for a row of no member. */
function ownerOf(table: string, row: Row, names: Record<string, number>): number | undefined {
  if (table === 'members') return row['id'] as number;
  const named = /^member:(.+)$/.exec(String(row['actor'] ?? row['client_id'] ?? ''));
  return (row['member_id'] ?? row['key_id'] ?? names[named?.[1] ?? '']) as number | undefined;
}

describe('behind a resolver that is broken', () => {
  let db: TestDatabase;
  let hub: RunningHub;
  let tables: string[];
  const ids: Record<string, number> = {};

  beforeAll(async () => {
    db = await createTestDatabase();
    for (const who of [CALLERS.upbit, caller('member:bithumb')]) {
      const name = who.clientId.split(':')[1]!;
      const [row] = await db.asOwner<{ id: number }>(
        `INSERT INTO members (name, jwk, delivery_method, endpoint_url, created_at)
         VALUES ($1, $2, 'push', 'http://127.0.0.1:9/', now()) RETURNING id`,
        [name, JSON.stringify(publicJwk(who.jwk))],
      );
      ids[name] = row!.id;
      await db.asOwner(`INSERT INTO member_endpoint_secrets VALUES ($1, 'Bearer of ${name}')`, [row!.id]);
    }
    const people = [
      { name: 'park', roles: ['regulator'], jwk: publicJwk(CALLERS.regulator.jwk) },
      { name: 'kim', roles: ['staff_operator'], jwk: publicJwk(CALLERS.operator.jwk) },
      { name: 'cho', roles: ['auditor'], jwk: publicJwk(CALLERS.auditor.jwk) },
    ];
    hub = await startHubOn(db, { people }, [BrokenModule]);
    for (const [name, memberId] of Object.entries(ids)) await fillEveryTable(db, { kind: 'member', memberId, name });
    const rows = await db.asOwner<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
         AND NOT relispartition ORDER BY 1`,
    );
    tables = rows.map((row) => row.name);
  });
  afterAll(async () => {
    await hub?.stop();
    await db?.close();
  });

  it.each(Object.keys(CALLERS) as (keyof typeof CALLERS)[])('%s sees this and no more', async (who) => {
    const token = await tokenOf(hub.url, CALLERS[who]);
    const seen: string[] = [];
    const leaked: string[] = [];
    for (const table of tables) {
      const { data, errors, text } = await graphql(
        hub.url,
        token,
        'query ($table: String!) { everything(table: $table) }',
        {
          table,
        },
      );
      expect({ table, errors }).toEqual({ table, errors: [] });
      expect(text).not.toContain('Bearer of');
      const owners = (data.everything as Row[]).map((row) => ownerOf(table, row, ids)).filter((id) => id !== undefined);
      if (owners.length > 0) seen.push(table);
      if (owners.some((id) => id !== ids['upbit'])) leaked.push(table);
    }
    expect(seen).toEqual(SEEN[who]);
    expect(leaked).toEqual(who === 'upbit' ? [] : SEEN[who]);
  });

  it('the test itself would see a leak: the owner of the tables finds both members in every one of them', async () => {
    const both = [...new Set(Object.values(SEEN).flat())];
    for (const table of both) {
      const rows = await db.asOwner<Row>(`SELECT * FROM ${table}`);
      const owners = new Set(rows.map((row) => ownerOf(table, row, ids)));
      expect({ table, found: Object.values(ids).filter((id) => owners.has(id)) }).toEqual({
        table,
        found: Object.values(ids),
      });
    }
  });
});
