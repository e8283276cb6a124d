import { readFileSync } from 'node:fs';
import { accessAt, doors, matrixText, VISITORS, type Door, type Visitor } from '../apps/hub/src/access-matrix.js';
import type { RunningHub } from '../apps/hub/src/start-hub.js';
import { FIXTURES, type Call, type Owner, type World } from './support/access-fixtures.js';
import { eventsTokenOf, graphql, tokenOf, type HubCaller } from './support/http-client.js';
import { privateJwk, publicJwk } from './support/parts.js';
import { NOW, startHubOn } from './support/running-hub.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

/** What came of a call: as it was answered, in the words of the matrix. */
interface Outcome {
  refused: boolean;
  /** Done without any error. */
  done: boolean;
  /** The answer is about the rows that the call was about. */
  shows: boolean;
  text: string;
}

/** The id of the client that a visitor signs in as. */
function clientOf(visitor: Exclude<Visitor, 'nobody'>): string {
  if (visitor === 'member') return 'member:upbit';
  return visitor === 'regulator' ? 'regulator:regulator' : `staff:${visitor.replace('_', '-')}`;
}

describe('the access matrix', () => {
  let db: TestDatabase;
  let hub: RunningHub;
  let all: Door[];
  let upbit: Owner;
  let bithumb: Owner;
  let world: World;
  const tokens = new Map<Visitor, string>();
  let streamToken: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    const callers = Object.fromEntries(
      VISITORS.filter((v) => v !== 'nobody').map((v): [string, HubCaller] => [
        v,
        { clientId: clientOf(v), jwk: privateJwk() },
      ]),
    );
    const add = async (name: string, jwk: string): Promise<Owner> => {
      const [row] = await db.asOwner<{ id: number }>(
        'INSERT INTO members (name, jwk, created_at) VALUES ($1, $2, now()) RETURNING id',
        [name, JSON.stringify(publicJwk(jwk))],
      );
      return { id: row!.id, name };
    };
    upbit = await add('upbit', callers['member']!.jwk);
    bithumb = await add('bithumb', privateJwk());
    const people = Object.entries(callers)
      .filter(([role]) => role !== 'member')
      .map(([role, { clientId, jwk }]) => ({ name: clientId.split(':')[1]!, roles: [role], jwk: publicJwk(jwk) }));
    hub = await startHubOn(db, { people });
    let count = 0;
    world = { db, now: NOW, issuer: hub.url, next: () => ++count };
    for (const [visitor, caller] of Object.entries(callers))
      tokens.set(visitor as Visitor, await tokenOf(hub.url, caller));
    streamToken = await eventsTokenOf(hub.url, callers['member']!);
    all = await doors();
  });
  afterAll(async () => {
    await hub?.stop();
    await db?.close();
  });

  async function outcomeOf(door: Door, visitor: Visitor, call: Call): Promise<Outcome> {
    const judge = (status: number, text: string, done: boolean): Outcome => ({
      refused: status === 401 || status === 403 || /"(FORBIDDEN|UNAUTHENTICATED)"/.test(text),
      done,
      shows: (call.marks ?? []).some((mark) => text.includes(mark)),
      text,
    });
    if (call.query !== undefined) {
      const { status, text, errors } = await graphql(hub.url, tokens.get(visitor) ?? null, call.query, call.variables);
      return judge(status, text, status === 200 && errors.length === 0);
    }
    const [method, path] = door.name.split(' ') as [string, string];
    const token = visitor === 'member' ? streamToken : tokens.get(visitor);
    const response = await fetch(`${hub.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    return judge(response.status, await response.text(), response.status < 500);
  }

  /** Everything of a member that a call of another could change. */
  async function rowsOf({ id }: Owner): Promise<unknown> {
    const dump = (table: string) =>
      `(SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM ${table} t WHERE member_id = ${id})`;
    const [row] = await db.asOwner(
      `SELECT ${['batches', 'recommendations', 'outcomes', 'deliveries'].map((t) => `${dump(t)} AS ${t}`).join(', ')},
         (SELECT to_jsonb(m) FROM members m WHERE id = ${id}) AS member`,
    );
    return row;
  }

  it('has a permission at every root field and every route', () => {
    expect(all.filter((door) => door.permission === undefined).map((door) => door.name)).toEqual([]);
    expect(all.length).toBeGreaterThan(20);
  });

  it('is committed as the code has it (npm run access-matrix writes it)', async () => {
    expect(readFileSync('docs/access-matrix.md', 'utf8')).toBe(await matrixText());
  });

  it('has a fixture for every operation, and none for what is gone', () => {
    const names = all.map((door) => door.name);
    const missing = names.filter((name) => !(name in FIXTURES));
    if (missing.length > 0)
      throw new Error(
        `${missing.join(', ')}: add to FIXTURES in test/support/access-fixtures.ts how to call it about a member's rows, ` +
          'then run `npm run access-matrix` and commit docs/access-matrix.md.',
      );
    expect(Object.keys(FIXTURES).filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(VISITORS)('holds in every cell: %s', async (visitor) => {
    const wrong: string[] = [];
    for (const door of all)
      for (const owner of [upbit, bithumb]) {
        const call = await FIXTURES[door.name]?.(world, owner);
        if (!call) continue;
        const access = accessAt(door, visitor);
        const before = owner === bithumb ? await rowsOf(bithumb) : null;
        const { refused, done, shows, text } = await outcomeOf(door, visitor, call);
        const note = (what: string) =>
          wrong.push(`${door.name}, ${owner.name}'s, ${access}: ${what} ${text.slice(0, 200)}`);
        if (access === 'refused' ? !refused : refused) note(refused ? 'refused' : 'let in');
        if (access === 'all' && !done) note('failed');
        if (access === 'refused' && shows) note('shown');
        if (access === 'own' && owner === upbit && !(done && shows)) note('failed');
        if (access === 'own' && owner === bithumb && shows) note('shown');
        if (access !== 'all' && owner === bithumb)
          if (JSON.stringify(await rowsOf(bithumb)) !== JSON.stringify(before)) note('changed');
      }
    expect(wrong).toEqual([]);
  });
});
