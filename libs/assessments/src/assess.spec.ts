import { Injectable, type Type } from '@nestjs/common';
import { FakeClock } from '@app/infrastructure/clock';
import { Fold, SubmitSignals } from '@app/signals';
import type { TestingModule } from '@nestjs/testing';
import { DEFAULT_POLICY } from '@app/protocol';
import { LENDING_MEMBERS, lendingRows, lentKeys } from '../../../test/support/lending.js';
import { addMember, partsOf, type Member } from '../../../test/support/parts.js';
import { FIRST_HOUR, observation, submission } from '../../../test/support/signals.js';
import { clearSignals } from '../../../test/support/standing-rows.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { token } from '../../../test/support/tokens.js';
import { Assess } from './assess.service.js';
import { RungRises } from './rung-rises.js';

const HOUR_MS = 3_600_000;
const DAYS = 8;
const LENT_IN_ALL = LENDING_MEMBERS.flatMap(lentKeys).length;
/** The end of a day of the population, ms. */
const endOf = (days: number) => (FIRST_HOUR + days * 24) * HOUR_MS;

@Injectable()
class FailingRises extends RungRises {
  async rose(): Promise<string[]> {
    throw new Error('on purpose');
  }
}

describe('assessing', () => {
  let db: TestDatabase;
  const members: Record<string, Member> = {};
  const clock = new FakeClock(endOf(DAYS));
  const open: TestingModule[] = [];
  let submit: SubmitSignals;
  let assess: Assess;

  const workerWith = async (rises?: Type<RungRises>) => {
    const parts = await partsOf(db, 'worker', clock, rises ? { rises } : {});
    open.push(parts);
    return parts.get(Assess);
  };
  const send = async (member: string, n: number, rows: Parameters<typeof submission>[1]) => {
    await submit.submit(members[member]!, submission(n, rows));
    const fold = new Fold(db.worker, clock);
    while (await fold.foldNext());
  };
  type State = { key: string; rung: number; probability: number; assessed_at: string };
  const states = async () =>
    new Map(
      (
        await db.asOwner<State>(
          `SELECT encode(t.token, 'hex') AS key, rung, probability, assessed_at FROM key_states s JOIN tokens t ON t.id = s.key_id`,
        )
      ).map((row) => [row.key, row]),
    );
  const hex = (key: string) => Buffer.from(token(`key ${key}`)).toString('hex');

  beforeAll(async () => {
    db = await createTestDatabase();
    for (const name of LENDING_MEMBERS) members[name] = await addMember(db, name);
    const hub = await partsOf(db, 'hub', clock);
    open.push(hub);
    submit = hub.get(SubmitSignals);
    assess = await workerWith();
  });
  beforeEach(async () => {
    await clearSignals(db);
    clock.at = endOf(DAYS);
    for (const name of LENDING_MEMBERS) await send(name, 1, lendingRows(name, DAYS));
  });
  afterAll(async () => {
    for (const parts of open) await parts.close();
    await db?.close();
  });

  it('tells lent keys from others, and issues a recommendation with its outbox row for each rise', async () => {
    expect(await assess.drain()).toBeGreaterThan(0);
    const found = await states();
    const lent = new Set(LENDING_MEMBERS.flatMap(lentKeys).map(hex));
    for (const [key, { rung }] of found) expect({ key, risen: rung >= 2 }).toEqual({ key, risen: lent.has(key) });
    const issued = await db.asOwner(
      `SELECT encode(r.key_token, 'hex') AS key, r.member_id, d.state FROM recommendations r JOIN deliveries d ON d.recommendation_id = r.id`,
    );
    expect(issued).toHaveLength(LENT_IN_ALL);
    for (const name of LENDING_MEMBERS)
      for (const key of lentKeys(name))
        expect(issued).toContainEqual({ key: hex(key), member_id: members[name]!.memberId, state: 'pending' });
    expect(await db.asOwner('SELECT 1 FROM touched UNION ALL SELECT 1 FROM to_assess')).toEqual([]);
  });

  it('says why, in both languages, without a token', async () => {
    await assess.drain();
    const [row] = await db.asOwner<{ reasons: { code: string; text: { ko: string; en: string } }[]; all: string }>(
      `SELECT reasons, reasons::text || explanation::text || customer_notice::text AS all FROM recommendations LIMIT 1`,
    );
    expect(row!.reasons.length).toBeGreaterThan(0);
    for (const { code, text } of row!.reasons) {
      expect(code).toMatch(/^[A-Z]\d$/);
      expect(text.ko).toMatch(/[가-힣]/);
      expect(text.en).toMatch(/[a-z]{3}/);
    }
    for (const name of ['ip the operator', 'client rare bot', 'key upbit lent 1'])
      for (const form of ['hex', 'base64url'] as const)
        expect(row!.all).not.toContain(Buffer.from(token(name)).toString(form).slice(0, 12));
  });

  it('changes nothing the second time', async () => {
    await assess.drain();
    const before = await states();
    expect(await assess.drain()).toBe(0);
    expect(await states()).toEqual(before);
    expect(await db.asOwner('SELECT 1 FROM recommendations')).toHaveLength(LENT_IN_ALL);
  });

  it('issues each recommendation once where two workers assess at once', async () => {
    const other = await workerWith();
    await Promise.all([assess.drain(), other.drain(), assess.drain()]);
    expect(await db.asOwner('SELECT 1 FROM recommendations')).toHaveLength(LENT_IN_ALL);
    expect(await db.asOwner('SELECT 1 FROM deliveries')).toHaveLength(LENT_IN_ALL);
  });

  it('stores nothing where a rise cannot be stored, and does it all the next time', async () => {
    const failing = await workerWith(FailingRises);
    await expect(failing.drain()).rejects.toThrow('on purpose');
    for (const table of ['key_states', 'rung_changes', 'recommendations', 'deliveries'])
      expect(await db.asOwner(`SELECT 1 FROM ${table}`)).toEqual([]);
    expect((await db.asOwner('SELECT 1 FROM to_assess')).length).toBeGreaterThan(0);
    await assess.drain();
    expect(await db.asOwner('SELECT 1 FROM recommendations')).toHaveLength(LENT_IN_ALL);
  });

  it('looks again at touched keys only', async () => {
    await assess.drain();
    const before = await states();
    clock.at += 2 * HOUR_MS;
    await send('upbit', 2, { observations: [observation('upbit own 1', 'home of upbit own 1', DAYS * 24)] });
    await assess.drain();
    const changed = [...(await states())].filter(([key, s]) => s.assessed_at !== before.get(key)!.assessed_at);
    expect(changed.map(([key]) => key)).toEqual([hex('upbit own 1')]);
  });

  it('looks again at the keys on an address when one more comes to it', async () => {
    await assess.drain();
    const before = await states();
    clock.at += 2 * HOUR_MS;
    await send('upbit', 2, { observations: [observation('upbit own 1', 'the operator', DAYS * 24)] });
    await assess.drain();
    const changed = [...(await states())].filter(([key, s]) => s.assessed_at !== before.get(key)!.assessed_at);
    expect(changed).toHaveLength(LENT_IN_ALL + 1);
  });

  it('takes a key down once its evidence has aged, and not by the day', async () => {
    await assess.drain();
    const rungs = async () => [...(await states()).values()].map((s) => s.rung).filter((rung) => rung > 0);
    const first = await rungs();
    expect(first).toHaveLength(LENT_IN_ALL);
    expect(await assess.queueAged()).toBe(0);
    clock.at += 24 * HOUR_MS;
    expect(await assess.queueAged()).toBe(LENT_IN_ALL);
    expect(await assess.queueAged()).toBe(0);
    await assess.drain();
    expect(await rungs()).toEqual(first);
    for (let day = 1; day < DEFAULT_POLICY.lookBackDays + 5 * DEFAULT_POLICY.ladder.stepDownDays; day += 7) {
      clock.at += 7 * 24 * HOUR_MS;
      await assess.queueAged();
      await assess.drain();
    }
    expect(await rungs()).toEqual([]);
    // Going down asks nothing of a member.
    expect(await db.asOwner('SELECT 1 FROM recommendations')).toHaveLength(LENT_IN_ALL);
    const downs = await db.asOwner<{ rung: number }>('SELECT rung FROM rung_changes ORDER BY id');
    expect(downs.at(-1)!.rung).toBe(0);
  });

  it('takes a key off its rung, once, when no facts of it stand any more', async () => {
    await assess.drain();
    const [lent] = LENDING_MEMBERS.flatMap(lentKeys).map(hex);
    expect((await states()).get(lent!)!.rung).toBeGreaterThan(0);
    await db.asOwner(
      `DELETE FROM key_facts WHERE key_id = (SELECT id FROM tokens WHERE encode(token, 'hex') = $1 AND kind = 0)`,
      [lent],
    );
    clock.at += 25 * HOUR_MS;
    await assess.queueAged();
    await assess.drain();
    expect((await states()).get(lent!)!.rung).toBe(0);
    clock.at += 25 * HOUR_MS;
    const others = [...(await states())].filter(([key, { rung }]) => key !== lent && rung > 0).length;
    expect(await assess.queueAged()).toBe(others);
  });

  it('waits with keys of which it knows no facts yet', async () => {
    await assess.drain();
    const before = await states();
    await send('upbit', 2, { observations: [observation('no facts', 'a place', 3)] });
    await assess.drain();
    expect(await states()).toEqual(before);
  });

  describe('outcomes', () => {
    const outcome = async (key: string, kind: string) => {
      const [r] = await db.asOwner<{ id: string; member_id: number; key_id: number }>(
        `SELECT id, member_id, key_id FROM recommendations WHERE encode(key_token, 'hex') = $1`,
        [hex(key)],
      );
      await db.asOwner(
        `INSERT INTO outcomes (recommendation_id, member_id, outcome, at, reported_at) VALUES ($1, $2, $3, $4, $4)`,
        [r!.id, r!.member_id, kind, new Date(clock.now())],
      );
      return r!.key_id;
    };
    const memory = async (key: number) => {
      const [row] = await db.asOwner<{
        reverified_at: string | null;
        reverification_failed: boolean;
        rung: number;
        probability: number;
      }>('SELECT reverified_at, reverification_failed, rung, probability FROM key_states WHERE key_id = $1', [key]);
      return row!;
    };

    it('of a passed re-verification speak for the key; of a failed one against it', async () => {
      await assess.drain();
      const [passedKey, failedKey] = ['upbit lent 1', 'bithumb lent 1'];
      const before = (await states()).get(hex(passedKey!))!;
      const passed = await outcome(passedKey!, 'reverification_passed');
      const failed = await outcome(failedKey!, 'reverification_failed');
      expect(await assess.drain()).toBeGreaterThan(0);
      expect(await memory(passed)).toMatchObject({
        reverified_at: String(clock.now() / 1000),
        reverification_failed: false,
      });
      expect((await memory(passed)).probability).toBeLessThan(before.probability);
      expect(await memory(failed)).toMatchObject({ reverification_failed: true });
      expect(await db.asOwner('SELECT 1 FROM outcomes WHERE NOT applied')).toEqual([]);
    });

    it('are taken once', async () => {
      await assess.drain();
      await outcome('upbit lent 1', 'upheld');
      await db.asOwner('UPDATE recommendations SET rung = 2');
      await assess.drain();
      await assess.drain();
      const [row] = await db.asOwner<{ upheld_warnings: string[] }>(
        `SELECT upheld_warnings FROM key_states s JOIN tokens t ON t.id = s.key_id WHERE encode(t.token, 'hex') = $1`,
        [hex('upbit lent 1')],
      );
      expect(row!.upheld_warnings).toEqual([String(clock.now() / 1000)]);
    });
  });
});
