import type { TestingModule } from '@nestjs/testing';
import { Assess } from '@app/assessments';
import { FakeClock } from '@app/infrastructure/clock';
import { Recommendations } from '@app/recommendations';
import { Reports } from '@app/reports';
import { tablesWith } from '../../../test/support/dump.js';
import { LENDING_MEMBERS, lendingRows, lentKeys } from '../../../test/support/lending.js';
import { addMember, partsOf, type Member } from '../../../test/support/parts.js';
import {
  allowEntry,
  batchId,
  facts,
  FIRST_DAY,
  FIRST_HOUR,
  observation,
  submission,
} from '../../../test/support/signals.js';
import { clearSignals, standingRows } from '../../../test/support/standing-rows.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { token } from '../../../test/support/tokens.js';
import { Batches } from './batches.service.js';
import { Fold } from './fold.service.js';
import { Retain } from './retain.service.js';
import { SubmitSignals } from './submit-signals.service.js';

/** The first standard's numbers. */
const OBSERVATION_DAYS = 90;
const ASSESSMENT_DAYS = 1095;
const DAY_MS = 86_400_000;
/** Noon of a day, counted from the first. */
const onDay = (day: number) => (FIRST_DAY + day) * DAY_MS + DAY_MS / 2;

describe('retention', () => {
  let db: TestDatabase;
  let hub: TestingModule;
  let worker: TestingModule;
  let upbit: Member;
  const members: Record<string, Member> = {};
  const clock = new FakeClock(onDay(8));

  beforeAll(async () => {
    db = await createTestDatabase();
    hub = await partsOf(db, 'hub', clock);
    worker = await partsOf(db, 'worker', clock);
    for (const name of LENDING_MEMBERS) members[name] = await addMember(db, name);
    upbit = members['upbit']!;
  });
  beforeEach(async () => {
    clock.at = onDay(8);
    await clearSignals(db);
    await db.asOwner('UPDATE retention SET oldest_day = 0, swept_day = -1');
  });
  afterAll(async () => {
    await hub?.close();
    await worker?.close();
    await db?.close();
  });

  const send = async (n: number, rows: Parameters<typeof submission>[1], member = upbit) => {
    await hub.get(SubmitSignals).submit(member, submission(n, rows));
    await fold();
  };
  const fold = async () => {
    while (await worker.get(Fold).foldNext());
  };
  const retain = () => worker.get(Retain).run();
  const drain = () => worker.get(Assess).drain();
  const partitions = async () =>
    (
      await db.asOwner<{ name: string }>(`SELECT relname AS name FROM pg_class WHERE relispartition AND relkind = 'r'
        AND relname LIKE 'observations%' ORDER BY 1`)
    ).map((row) => Number(row.name.slice('observations_'.length)) - FIRST_DAY);
  const count = async (table: string) => (await db.asOwner(`SELECT 1 FROM ${table}`)).length;

  it('drops days before the limit, and what was summed up of them; the limit’s own day stays', async () => {
    await send(1, {
      observations: [0, 1, 2, 7].map((day) => observation('a', `day ${day}`, day * 24)),
      keyFacts: [facts('a', 'kim')],
    });
    await drain();
    clock.at = onDay(OBSERVATION_DAYS + 2);
    await retain();
    expect(await partitions()).toEqual([2, 7]);
    expect((await standingRows(db)).observations).toHaveLength(2);
    expect((await standingRows(db)).edges.filter((edge) => edge.startsWith('1 '))).toHaveLength(2);
    for (const table of ['day_uses', 'key_days'])
      expect(await db.asOwner(`SELECT day FROM ${table} ORDER BY 1`)).toEqual(
        [2, 7].map((day) => ({ day: FIRST_DAY + day })),
      );
    for (const day of [0, 1]) expect(await tablesWith(db, token(`ip day ${day}`))).toEqual([]);
    for (const day of [0, 1]) expect(await tablesWith(db, token(`prefix day ${day}`))).toEqual([]);
    expect(await tablesWith(db, token('ip day 2'))).toEqual(['batches', 'tokens']);
  });

  it('empties stored batches, keeps their receipts, and answers a repeated one as the first time', async () => {
    const rows = {
      observations: [observation('a', '1', 1)],
      allowEntries: [allowEntry('a', '1', 0)],
      keyFacts: [facts('a', 'kim')],
    };
    await send(1, rows);
    const first = await hub.get(Batches).receipt(upbit, batchId(1));
    clock.at = onDay(OBSERVATION_DAYS + 20);
    await retain();
    expect(await db.asOwner('SELECT octet_length(payload) < 50 AS empty, erased_facts FROM batches')).toEqual([
      { empty: true, erased_facts: [0] },
    ]);
    expect(await hub.get(SubmitSignals).submit(upbit, submission(1, rows))).toEqual(first);
    expect(await hub.get(Batches).receipt(upbit, batchId(1))).toEqual(first);
    expect((await standingRows(db)).observations).toEqual([]);
    await hub.get(Batches).withdraw(upbit, batchId(1), 'a test');
    await fold();
    expect(await db.asOwner('SELECT state, fold_attempts FROM batches')).toEqual([
      { state: 'withdrawn', fold_attempts: 0 },
    ]);
  });

  it('makes no dropped day anew when a batch is folded late', async () => {
    await hub
      .get(SubmitSignals)
      .submit(
        upbit,
        submission(1, { observations: [0, 80].map((day) => observation('a', '1', day * 24)).slice(0, 1) }),
      );
    clock.at = onDay(80);
    await hub
      .get(SubmitSignals)
      .submit(
        upbit,
        submission(2, { observations: [observation('a', 'old', 3 * 24), observation('a', 'new', 79 * 24)] }),
      );
    clock.at = onDay(OBSERVATION_DAYS + 10);
    await retain();
    await fold();
    await drain();
    expect(await partitions()).toEqual([79]);
    expect((await standingRows(db)).observations).toHaveLength(1);
    expect(await tablesWith(db, token('ip old'))).toEqual([]);
  });

  it('folds a batch that was stored before the limit passed it and was not trimmed', async () => {
    await hub
      .get(SubmitSignals)
      .submit(upbit, submission(1, { observations: [observation('a', 'old', 5), observation('a', 'new', 100)] }));
    await db.asOwner('UPDATE retention SET oldest_day = $1', [FIRST_DAY + 2]);
    await fold();
    expect(await partitions()).not.toContain(0);
    expect((await standingRows(db)).observations).toHaveLength(1);
    expect(await tablesWith(db, token('ip old'))).toEqual(['batches']);
  });

  it('keeps the facts of a key that rests, and forgets those of one that has ended', async () => {
    const ended = (FIRST_HOUR + 24) * 3600;
    await send(1, {
      keyFacts: [facts('resting', 'kim'), facts('ended', 'lee', { expiresAt: ended })],
      allowEntries: [
        allowEntry('resting', 'home', 0),
        allowEntry('resting', 'before', 0, 24),
        allowEntry('ended', 'there', 0),
        allowEntry('unknown', 'nowhere', 0),
      ],
    });
    await drain();
    clock.at = onDay(OBSERVATION_DAYS + 20);
    await retain();
    const short = (name: string) => Buffer.from(token(name)).toString('hex', 0, 4);
    const { facts: left, allow } = await standingRows(db);
    expect(left).toEqual([expect.stringContaining(short('key resting'))]);
    expect(allow).toEqual([expect.stringContaining(short('ip home'))]);
    for (const gone of ['key ended', 'owner lee', 'ip before', 'ip there', 'key unknown', 'prefix nowhere'])
      expect([gone, (await tablesWith(db, token(gone))).filter((t) => t !== 'tokens')]).toEqual([gone, []]);
    clock.at = onDay(ASSESSMENT_DAYS + 20);
    await retain();
    expect((await standingRows(db)).facts).toEqual([]);
  });

  it('keeps recommendations with what they rest on while observations go, then forgets them when their month is closed', async () => {
    for (const name of LENDING_MEMBERS) await send(1, lendingRows(name, 8), members[name]!);
    await drain();
    const list = () => hub.get(Recommendations).list(upbit, 0, 100);
    const issued = await list();
    expect(issued).toHaveLength(lentKeys('upbit').length);
    const evidence = await db.asOwner<{ evidence: Record<string, unknown> }>('SELECT evidence FROM recommendations');
    for (const row of evidence) {
      expect(row.evidence).toMatchObject({
        findings: expect.arrayContaining([expect.objectContaining({ counts: expect.anything() })]),
      });
      expect(Object.keys(row.evidence)).not.toContain('key');
    }
    const { id, issuedAt } = issued[0]!.recommendation;
    await hub
      .get(Recommendations)
      .reportOutcome(upbit, id, { outcome: 'executed', reason: null, note: 'done', at: issuedAt });

    clock.at = onDay(OBSERVATION_DAYS + 30);
    await retain();
    await drain();
    expect(await partitions()).toEqual([]);
    const kept = await list();
    expect(kept.map((r) => r.recommendation.reasons)).toEqual(issued.map((r) => r.recommendation.reasons));
    expect(await db.asOwner('SELECT evidence FROM recommendations')).toEqual(evidence);

    clock.at = onDay(ASSESSMENT_DAYS + 30);
    await retain();
    expect(await list()).toHaveLength(issued.length);
    const [period] = await worker.get(Reports).closeDue();
    const report = () => worker.get(Reports).report({ kind: 'job', name: 'report' }, period!);
    const closed = await report();
    await retain();
    expect(await list()).toEqual([]);
    for (const table of ['recommendations', 'outcomes', 'deliveries', 'key_states', 'rung_changes'])
      expect([table, await count(table)]).toEqual([table, 0]);
    expect(await report()).toEqual(closed);
  });

  it('runs once a day of the clock; again, or twice at once, changes nothing', async () => {
    await send(1, {
      observations: [observation('a', '1', 1), observation('a', '2', 6 * 24)],
      keyFacts: [facts('a', 'kim')],
    });
    await drain();
    clock.at = onDay(OBSERVATION_DAYS + 2);
    expect(await worker.get(Retain).due()).toBe(true);
    await Promise.all([retain(), retain()]);
    expect(await worker.get(Retain).due()).toBe(false);
    const once = await standingRows(db);
    await retain();
    expect(await standingRows(db)).toEqual(once);
    clock.at = onDay(OBSERVATION_DAYS + 3);
    expect(await worker.get(Retain).due()).toBe(true);
  });

  it('lets nobody but its own job drop days', async () => {
    await send(1, { observations: [observation('a', '1', 1)] });
    const drop = (database: typeof db.hub, name: string) =>
      database.transaction({ kind: 'job', name }, (tx) => tx.query('SELECT drop_observation_days(60000, 100)'));
    await expect(drop(db.worker, 'fold')).rejects.toThrow(/not to be dropped/);
    await expect(drop(db.hub, 'retain')).rejects.toThrow(/permission denied/);
    expect(await count('observations')).toBe(1);
  });
});
