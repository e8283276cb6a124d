import type { TestingModule } from '@nestjs/testing';
import { Assess } from '@app/assessments';
import { FakeClock } from '@app/infrastructure/clock';
import { Database, type Principal, type Tx } from '@app/infrastructure/database';
import { PollDelivery, Recommendations } from '@app/recommendations';
import { Reports } from '@app/reports';
import { tablesWith } from '../../../test/support/dump.js';
import { LENDING_MEMBERS, lendingRows } from '../../../test/support/lending.js';
import { addMember, partsOf, type Member } from '../../../test/support/parts.js';
import { batchId, facts, FIRST_HOUR, observation, submission } from '../../../test/support/signals.js';
import { clearSignals, standingRows } from '../../../test/support/standing-rows.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { token } from '../../../test/support/tokens.js';
import { Batches } from './batches.service.js';
import { Erase } from './erase.service.js';
import { Erasures } from './erasures.service.js';
import { Fold } from './fold.service.js';
import { SubmitSignals } from './submit-signals.service.js';

const DAYS = 8;
const NOW = (FIRST_HOUR + DAYS * 24) * 3_600_000;
const STAFF: Principal = { kind: 'staff', name: 'kim' };
const LENT = 'upbit lent 1';
const OWNER = `of ${LENT}`;

/** Rolls every second transaction back after all of its work: a process that is killed at the worst moment. */
class InterruptedDatabase extends Database {
  private count = 0;
  constructor(private readonly database: Database) {
    super();
  }
  transaction<T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.transaction(principal, async (tx) => {
      const result = await work(tx);
      if (this.count++ % 2 === 0) throw new Error('killed');
      return result;
    });
  }
  ping(): Promise<void> {
    return this.database.ping();
  }
  close(): Promise<void> {
    return this.database.close();
  }
}

describe('erasing', () => {
  let db: TestDatabase;
  let hub: TestingModule;
  let worker: TestingModule;
  const members: Record<string, Member> = {};
  const clock = new FakeClock(NOW);

  beforeAll(async () => {
    db = await createTestDatabase();
    hub = await partsOf(db, 'hub', clock);
    worker = await partsOf(db, 'worker', clock);
  });
  beforeEach(async () => {
    await clearSignals(db);
    await db.asOwner('DELETE FROM member_endpoint_secrets');
    await db.asOwner('DELETE FROM members');
    for (const name of LENDING_MEMBERS) members[name] = await addMember(db, name);
  });
  afterAll(async () => {
    await hub?.close();
    await worker?.close();
    await db?.close();
  });

  const foldAll = async () => {
    const fold = worker.get(Fold);
    while (await fold.foldNext());
  };
  const eraseAll = async (erase = worker.get(Erase)) => {
    let steps = 0;
    while (await erase.eraseNext()) steps++;
    return steps;
  };
  const drain = () => worker.get(Assess).drain();
  /** Each member's rows in two batches, the second of which says the last day again. */
  const sendAll = async (without: (key: string) => boolean = () => false) => {
    const gone = new Set(
      [1, 2, 3, 4]
        .flatMap((n) => LENDING_MEMBERS.flatMap((m) => [`${m} lent ${n}`, `${m} own ${n}`]))
        .filter(without)
        .map((key) => Buffer.from(token(`key ${key}`)).toString('hex')),
    );
    const kept = <R extends { key: Uint8Array }>(rows: readonly R[]) =>
      rows.filter((row) => !gone.has(Buffer.from(row.key).toString('hex')));
    for (const name of LENDING_MEMBERS) {
      const rows = lendingRows(name, DAYS);
      const all = {
        observations: kept(rows.observations),
        allowEntries: kept(rows.allowEntries),
        keyFacts: kept(rows.keyFacts),
      };
      const lastDay = all.observations.filter((o) => o.hour >= FIRST_HOUR + (DAYS - 1) * 24);
      await hub.get(SubmitSignals).submit(members[name]!, submission(1, all));
      await hub.get(SubmitSignals).submit(members[name]!, submission(2, { observations: lastDay }));
    }
    await foldAll();
    await drain();
  };
  const ask = (kind: 'key' | 'owner', name: string, member = members['upbit']!) =>
    hub.get(Erasures).request(member, kind, token(`${kind} ${name}`), 'the account was closed');
  const byId = (id: string, by: Principal = members['upbit']!) => hub.get(Erasures).byId(by, id);
  /** What the engine reads and what it says, told by tokens. */
  const world = async () => {
    await db.asOwner('INSERT INTO touched (key_id, day) SELECT key_id, -1 FROM key_facts');
    await drain();
    const states = await db.asOwner(
      `SELECT encode(t.token, 'hex') AS key, s.probability, s.assessment->'findings' AS findings
       FROM key_states s JOIN tokens t ON t.id = s.key_id ORDER BY 1`,
    );
    const days = await db.asOwner(
      `SELECT encode(t.token, 'hex') AS key, day, encode(bursts, 'hex') AS bursts, concurrent, active
       FROM key_days d JOIN tokens t ON t.id = d.key_id ORDER BY 1, 2`,
    );
    const tokens = await db.asOwner(`SELECT kind, encode(token, 'hex') AS token FROM tokens ORDER BY 1, 2`);
    return { rows: await standingRows(db), states, days, tokens };
  };

  it.each([
    ['a key', 'key', LENT],
    ['an owner', 'owner', OWNER],
  ] as const)('of %s leaves no trace of it, and others stand as if it had never been', async (_, kind, name) => {
    await sendAll((key) => key === LENT);
    const never = (await world()).rows;
    const neverWorld = await world();
    await clearSignals(db);
    await sendAll();
    const gone = [`key ${LENT}`, `owner ${OWNER}`].map(token);
    for (const each of gone) expect(await tablesWith(db, each)).toContain('batches');

    const asked = await ask(kind, name);
    expect(asked).toMatchObject({ state: 'requested', kind, reason: 'the account was closed' });
    await eraseAll();
    await foldAll();

    for (const each of gone) expect(await tablesWith(db, each)).toEqual([]);
    const receipt = (await byId(asked.id))!;
    expect(receipt).toMatchObject({ state: 'done', openRecommendations: 1, counts: { keys: 1, keyFacts: 1 } });
    expect(receipt.counts.observations).toBe((DAYS - 2) * 3);
    expect(receipt.counts.batchRows).toBe((DAYS - 2) * 3 + 3 + 2);
    expect(receipt.counts.recommendations).toBeGreaterThan(0);
    const after = await world();
    expect(after.rows).toEqual(never);
    expect(after).toEqual(neverWorld);
  });

  it('has the keys assessed again that shared its address', async () => {
    await sendAll();
    await ask('key', LENT);
    await eraseAll();
    const touched = await db.asOwner<{ n: number }>(`SELECT count(DISTINCT key_id)::int AS n FROM touched`);
    // Five other keys are on the operator's address.
    expect(touched[0]!.n).toBe(5);
  });

  it('goes on where it was killed, at every step', async () => {
    await sendAll();
    const asked = await ask('owner', OWNER);
    const interrupted = new InterruptedDatabase(db.worker);
    for (let killed = 0, going = true; going;) {
      const parts = await partsOf({ ...db, worker: interrupted }, 'worker', clock);
      try {
        going = await parts.get(Erase).eraseNext();
      } catch (error) {
        expect((error as Error).message).toBe('killed');
        expect(++killed).toBeLessThan(50);
      } finally {
        await parts.close();
      }
    }
    expect(await tablesWith(db, token(`key ${LENT}`))).toEqual([]);
    expect((await byId(asked.id))!.counts).toMatchObject({ keys: 1, observations: (DAYS - 2) * 3, keyFacts: 1 });
  });

  it('answers the same batch as the first time, and brings nothing back, whatever is folded again', async () => {
    await sendAll();
    const first = await hub.get(Batches).receipt(members['upbit']!, batchId(1));
    await ask('key', LENT);
    await eraseAll();
    const again = await hub.get(SubmitSignals).submit(members['upbit']!, submission(1, lendingRows('upbit', DAYS)));
    expect(again).toEqual(first);
    await hub.get(Batches).withdraw(members['upbit']!, batchId(2), 'a test');
    await foldAll();
    expect(await tablesWith(db, token(`key ${LENT}`))).toEqual([]);
    expect(await hub.get(Batches).receipt(members['upbit']!, batchId(1))).toEqual({
      ...first,
      foldedAt: first!.foldedAt,
    });
  });

  it('keeps notes at the positions that were sent, also of a batch that is folded only afterwards', async () => {
    const upbit = members['upbit']!;
    const given = (key: string, permissions: ('read' | 'trade')[]) => facts(key, `of ${key}`, { permissions });
    await hub
      .get(SubmitSignals)
      .submit(upbit, submission(1, { keyFacts: ['a', 'b', 'c'].map((k) => given(k, ['read'])) }));
    await foldAll();
    const contradicting = { keyFacts: ['a', 'b', 'c'].map((k) => given(k, ['trade'])) };
    await hub.get(SubmitSignals).submit(upbit, submission(2, contradicting));
    await ask('key', 'b');
    await eraseAll();
    await foldAll();
    const { notes } = (await hub.get(Batches).receipt(upbit, batchId(2)))!;
    expect(notes.map((note) => note.index)).toEqual([0, 2]);
    await ask('key', 'a');
    await eraseAll();
    await db.asOwner(`UPDATE batches SET state = 'stored' WHERE sequence = 2`);
    await foldAll();
    expect((await hub.get(Batches).receipt(upbit, batchId(2)))!.notes.map((note) => note.index)).toEqual([0, 2]);
  });

  it('gives a key that is sent again a fresh start, whoever had remembered its ids', async () => {
    await sendAll();
    await ask('key', LENT);
    await eraseAll();
    const back = { observations: [observation(LENT, 'elsewhere', 100)], keyFacts: [facts(LENT, OWNER)] };
    await hub.get(SubmitSignals).submit(members['upbit']!, submission(3, back));
    await foldAll();
    const known = await db.asOwner(
      `SELECT o.requests FROM observations o JOIN tokens k ON k.id = o.key_id AND k.token = $1
         JOIN tokens i ON i.id = o.ip_id JOIN tokens c ON c.id = o.client_id JOIN key_facts f ON f.key_id = o.key_id
         JOIN tokens w ON w.id = f.owner_id`,
      [Buffer.from(token(`key ${LENT}`))],
    );
    expect(known).toEqual([{ requests: 60 }]);
  });

  it('withdraws what was still to be delivered, and leaves of each recommendation what an auditor needs', async () => {
    await sendAll();
    const upbit = members['upbit']!;
    const all = await hub.get(Recommendations).list(upbit, 0, 100);
    const about = all.filter((r) => Buffer.from(token(`key ${LENT}`)).equals(r.recommendation.keyToken));
    const { id, rung, issuedAt } = about.at(-1)!.recommendation;
    await hub
      .get(Recommendations)
      .reportOutcome(upbit, id, { outcome: 'upheld', reason: null, note: 'Kim said so', at: issuedAt });
    const asked = await ask('key', LENT);
    await eraseAll();
    const { recommendation, outcomes } = (await hub.get(Recommendations).byId(upbit, id))!;
    expect(recommendation).toMatchObject({ id, rung, issuedAt, state: 'withdrawn', reasons: [], supersedes: null });
    expect(recommendation.keyToken).toHaveLength(0);
    expect(recommendation.explanation).toEqual({ ko: '', en: '' });
    expect(recommendation.customerNotice).toEqual({ ko: '', en: '' });
    expect(outcomes).toEqual([expect.objectContaining({ outcome: 'upheld', note: null })]);
    const poll = { maxEvents: 100, returnImmediately: true, ack: [], setErrs: {} };
    expect(Object.keys((await hub.get(PollDelivery).poll(upbit, poll, () => false)).sets)).toHaveLength(
      all.length - about.length,
    );
    expect(await byId(asked.id, STAFF)).toMatchObject({ openRecommendations: 1, highestRung: rung });
    expect(await db.asOwner('SELECT 1 FROM recommendations WHERE id = $1 AND evidence IS NOT NULL', [id])).toEqual([]);
  });

  it('is recorded, with the token in short form', async () => {
    await sendAll();
    const { id, target } = await ask('key', LENT);
    await eraseAll();
    const rows = await db.asOwner<{ actor: string; action: string; detail: object }>(
      'SELECT actor, action, detail FROM audit_log WHERE subject = $1 ORDER BY id',
      [`erasure:${id}`],
    );
    expect(rows).toMatchObject([
      { actor: 'member:upbit', action: 'erasure.requested', detail: { kind: 'key', target } },
      { actor: 'job:erase', action: 'erasure.done', detail: { target, counts: { keys: 1 } } },
    ]);
    expect(target).toBe(Buffer.from(token(`key ${LENT}`)).toString('hex', 0, 8));
  });

  it('touches nothing of another member, not even the same owner’s key there', async () => {
    const shared = (member: string) => ({
      observations: [observation(`${member} k`, 'home', 5)],
      keyFacts: [facts(`${member} k`, 'both')],
    });
    for (const name of ['upbit', 'bithumb'])
      await hub.get(SubmitSignals).submit(members[name]!, submission(1, shared(name)));
    await foldAll();
    const foreign = await ask('key', 'bithumb k');
    const own = await ask('owner', 'both');
    await eraseAll();
    expect((await byId(foreign.id))!.counts).toMatchObject({ keys: 0, observations: 0 });
    expect((await byId(own.id))!.counts).toMatchObject({ keys: 1, observations: 1 });
    expect(await byId(own.id, members['bithumb']!)).toBeNull();
    const { facts: left } = await standingRows(db);
    expect(left).toHaveLength(1);
    expect(left[0]).toContain('bithumb');
    expect(await tablesWith(db, token('key upbit k'))).toEqual([]);
    expect(await tablesWith(db, token('owner both'))).toEqual(['batches', 'tokens']);
  });

  it('is one erasure while it waits, and needs a reason and a whole token', async () => {
    await sendAll();
    const [one, two] = [await ask('key', LENT), await ask('key', LENT)];
    expect(two.id).toBe(one.id);
    await eraseAll();
    expect((await ask('key', LENT)).id).not.toBe(one.id);
    const upbit = members['upbit']!;
    await expect(hub.get(Erasures).request(upbit, 'key', token('x'), ' ')).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(hub.get(Erasures).request(upbit, 'key', token('x').slice(1), 'r')).rejects.toMatchObject({
      code: 'TOKEN_MALFORMED',
    });
  });

  describe('a member that leaves', () => {
    it('is gone with all that it sent; receipts, counts and the audit stay', async () => {
      await sendAll();
      const counted = await worker
        .get(Reports)
        .report({ kind: 'job', name: 'report' }, '2026-06')
        .catch(() => null);
      const left = await hub.get(Erasures).leave(STAFF, 'upbit', 'merged');
      expect(left).toMatchObject({ name: 'upbit', state: 'left', contacts: [] });
      await eraseAll();
      await drain();
      const [erasure] = await hub.get(Erasures).list(STAFF, 0, 10);
      expect(erasure).toMatchObject({ kind: 'member', target: null, state: 'done', counts: { keys: 6 } });
      for (const key of [LENT, 'upbit lent 2', 'upbit own 1'])
        expect(await tablesWith(db, token(`key ${key}`))).toEqual([]);
      const mine = `WHERE member_id = ${members['upbit']!.memberId}`;
      for (const table of ['observations', 'edges', 'key_facts', 'allow_entries', 'key_states'])
        expect([table, await db.asOwner(`SELECT 1 FROM ${table} ${mine}`)]).toEqual([table, []]);
      expect(await db.asOwner(`SELECT 1 FROM deliveries ${mine} AND state = 'pending'`)).toEqual([]);
      expect(await db.asOwner(`SELECT accepted FROM batches ${mine}`)).toHaveLength(2);
      expect((await db.asOwner(`SELECT 1 FROM recommendations ${mine}`)).length).toBeGreaterThan(0);
      if (counted)
        expect((await worker.get(Reports).report({ kind: 'job', name: 'report' }, '2026-06')).report).toEqual(
          counted.report,
        );
    });

    it('does so once, and only by staff', async () => {
      await hub.get(Erasures).leave(STAFF, 'upbit', 'merged');
      await expect(hub.get(Erasures).leave(STAFF, 'upbit', 'again')).rejects.toMatchObject({ code: 'BAD_INPUT' });
      await expect(hub.get(Erasures).leave(STAFF, 'nobody', 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const { bithumb } = members;
      await expect(hub.get(Erasures).leave(bithumb!, 'bithumb', 'x')).rejects.toThrow();
      const forged = db.hub.transaction(bithumb!, (tx) =>
        tx.query(
          `INSERT INTO erasures (id, member_id, kind, token, reason, requested_by, requested_at, state, stage)
           VALUES (gen_random_uuid(), $1, 'key', $2, 'r', 'member:bithumb', now(), 'requested', 'collect')`,
          [members['coinone']!.memberId, Buffer.from(token('key coinone own 1'))],
        ),
      );
      await expect(forged).rejects.toThrow(/row-level security/);
    });
  });
});
