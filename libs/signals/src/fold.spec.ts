import fc from 'fast-check';
import { FakeClock } from '@app/infrastructure/clock';
import { Database, type Principal, type Tx } from '@app/infrastructure/database';
import type { BatchRows } from '@app/protocol';
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
import { SubmitSignals, type Submission } from './submit-signals.service.js';

const clock = new FakeClock((FIRST_HOUR + 30 * 24) * 3_600_000);
const short = (name: string) => Buffer.from(token(name)).toString('hex', 0, 4);

describe('folding', () => {
  let db: TestDatabase;
  let upbit: Member;
  let signals: SubmitSignals;
  let batches: Batches;
  let closeParts: (() => Promise<void>)[];

  beforeAll(async () => {
    db = await createTestDatabase();
    upbit = await addMember(db, 'upbit');
    const hub = await partsOf(db, 'hub', clock);
    signals = hub.get(SubmitSignals);
    batches = hub.get(Batches);
    closeParts = [() => hub.close()];
  });
  beforeEach(() => clearSignals(db));
  afterAll(async () => {
    for (const close of closeParts) await close();
    await db?.close();
  });

  const foldOn = (database: Database) => new Fold(database, clock);
  const foldAll = async (fold = foldOn(db.worker)) => {
    while (await fold.foldNext());
  };
  const submit = (s: Submission, member = upbit) => signals.submit(member, s);
  const withdraw = (n: number) => batches.withdraw(upbit, batchId(n), 'a test');

  it('writes observations, edges, facts and allow-list entries as they were sent', async () => {
    const rows: BatchRows = {
      observations: [
        observation('a', '1', 0, {
          requests: 7,
          orders: 3,
          rejected: 2,
          activeSlots: 5,
          burstSlots: 1,
          lists: ['x', 'y'],
        }),
        observation('a', '1', 25, { network: 'vpn' }),
        observation('a', '2', 1, { client: 'client bot' }),
      ],
      allowEntries: [allowEntry('a', '1', -5), allowEntry('a', '2', -5, 50)],
      keyFacts: [
        facts('a', 'kim', { accountType: 'corporate', permissions: ['read', 'withdraw'], expiresAt: 2_000_000_000 }),
      ],
    };
    await submit(submission(1, rows));
    await foldAll();
    const stored = await standingRows(db);
    const [k, one, two, requests, bot] = ['key a', 'ip 1', 'ip 2', 'client requests', 'client bot'].map(short);
    expect(stored.observations).toEqual(
      [
        `upbit ${k} ${one} ${requests} h${FIRST_HOUR} net0 lists2 7/3/2 5/1 seq1`.replace('net0', 'net2'),
        `upbit ${k} ${one} ${requests} h${FIRST_HOUR + 25} net3 lists0 60/6/0 4095/0 seq1`,
        `upbit ${k} ${two} ${bot} h${FIRST_HOUR + 1} net2 lists0 60/6/0 4095/0 seq1`,
      ].sort(),
    );
    expect(stored.edges).toEqual(
      [
        `1 ${k} ${one} ${FIRST_DAY}-${FIRST_DAY + 1}`,
        `1 ${k} ${two} ${FIRST_DAY}-${FIRST_DAY}`,
        `2 ${k} ${requests} ${FIRST_DAY}-${FIRST_DAY + 1}`,
        `2 ${k} ${bot} ${FIRST_DAY}-${FIRST_DAY}`,
      ].sort(),
    );
    expect(stored.facts).toEqual([
      `upbit ${k} owner ${short('owner kim')} type1 permissions5 ${(FIRST_HOUR - 2400) * 3600}-2000000000`,
    ]);
    expect(stored.allow).toEqual(
      [
        `upbit ${k} ${one} ${(FIRST_HOUR - 5) * 3600}-null`,
        `upbit ${k} ${two} ${(FIRST_HOUR - 5) * 3600}-${(FIRST_HOUR + 50) * 3600}`,
      ].sort(),
    );
    const touched = await db.asOwner<{ day: number }>('SELECT day FROM touched ORDER BY day');
    expect(touched.map((t) => t.day)).toEqual([-1, FIRST_DAY, FIRST_DAY + 1]);
    expect(await batches.receipt(upbit, batchId(1))).toMatchObject({
      state: 'folded',
      foldedAt: new Date(clock.now()),
    });
  });

  it('finds nothing where nothing waits, and folds each batch once', async () => {
    const fold = foldOn(db.worker);
    expect(await fold.foldNext()).toBe(false);
    await submit(submission(1, { observations: [observation('a', '1', 0)] }));
    expect(await fold.foldNext()).toBe(true);
    expect(await fold.foldNext()).toBe(false);
  });

  it('lets the higher sequence number stand, whichever was folded first', async () => {
    for (const order of [
      [1, 2],
      [2, 1],
    ]) {
      await clearSignals(db);
      for (const n of order) {
        await submit(submission(n, { observations: [observation('a', '1', 0, { requests: n * 100 })] }));
        await foldAll();
      }
      expect((await standingRows(db)).observations).toEqual([expect.stringMatching(/ 200\/6\/0 .* seq2$/)]);
    }
  });

  it('keeps equal key tokens of two members apart', async () => {
    const bithumb = await addMember(db, 'bithumb');
    await submit(submission(1, { observations: [observation('a', '1', 0)], keyFacts: [facts('a', 'kim')] }));
    await submit(submission(1, { observations: [observation('a', '1', 0)], keyFacts: [facts('a', 'lee')] }), bithumb);
    await foldAll();
    const { observations, facts: stored } = await standingRows(db);
    expect(observations).toHaveLength(2);
    expect(stored.map((f) => f.split(' ')[0])).toEqual(['bithumb', 'upbit']);
  });

  it('notes facts that contradict, with the index at which they were sent', async () => {
    await submit(submission(1, { keyFacts: [facts('a', 'kim')] }));
    const { compact: _none, ...envelope } = submission(2, {});
    const row = (key: string, accountType: string) => ({
      key: Buffer.from(token(`key ${key}`)).toString('base64url'),
      owner: Buffer.from(token('owner kim')).toString('base64url'),
      accountType,
      permissions: ['read', 'trade'],
      createdAt: new Date((FIRST_HOUR - 2400) * 3_600_000).toISOString(),
    });
    // Row 0 is refused, so the contradicting row is the second that is accepted, and the third that was sent.
    const keyFacts = [row('z', 'whale'), row('b', 'individual'), row('a', 'corporate')];
    await submit({ ...envelope, rows: { observations: [], allowEntries: [], keyFacts } });
    await foldAll();
    const receipt = await batches.receipt(upbit, batchId(2));
    expect(receipt?.notes).toEqual([
      { section: 'keyFacts', index: 2, code: 'KEY_FACTS_CONFLICT', message: expect.stringContaining('contradict') },
    ]);
    expect((await batches.receipt(upbit, batchId(1)))?.notes).toEqual([]);
    expect((await standingRows(db)).facts.find((f) => f.includes(short('key a')))).toContain('type0');
  });

  describe('facts given three times, two of them the same', () => {
    it.each([[[1, 2, 3]], [[3, 1, 2]], [[2, 3, 1]], [[3, 2, 1]]])('keep the owner named first: %j', async (order) => {
      const owners: Record<number, string> = { 1: 'kim', 2: 'lee', 3: 'kim' };
      for (const n of order) {
        await submit(submission(n, { keyFacts: [facts('a', owners[n]!)] }));
        await foldAll();
      }
      expect((await standingRows(db)).facts).toEqual([expect.stringContaining(short('owner kim'))]);
    });
  });

  it('merges facts of one key that two workers fold at once', async () => {
    // The key is known already, so that nothing but its facts can make the second wait for the first.
    await submit(submission(1, { observations: [observation('a', '1', 0)] }));
    await foldAll();
    await submit(submission(2, { keyFacts: [facts('a', 'kim', { permissions: ['read'] })] }));
    await submit(submission(3, { keyFacts: [facts('a', 'lee', { permissions: ['withdraw'] })] }));
    await Promise.all([foldOn(new Lingering(db.worker)).foldNext(), foldOn(new Lingering(db.worker)).foldNext()]);
    expect((await standingRows(db)).facts).toEqual([
      expect.stringMatching(new RegExp(`owner ${short('owner kim')} type0 permissions5 `)),
    ]);
  });

  it('leaves no trace of a fold that broke off, and folds the batch the next time', async () => {
    await submit(submission(1, { observations: [observation('a', '1', 0)], keyFacts: [facts('a', 'kim')] }));
    const fold = foldOn(new BreakingOff(db.worker));
    expect(await fold.foldNext()).toBe(true);
    const empty = { observations: [], edges: [], facts: [], allow: [] };
    expect(await standingRows(db)).toEqual(empty);
    expect(await db.asOwner('SELECT 1 FROM tokens UNION ALL SELECT 1 FROM touched')).toEqual([]);
    expect(await batches.receipt(upbit, batchId(1))).toMatchObject({ state: 'stored', foldedAt: null });
    expect(await fold.foldNext()).toBe(false);
    clock.at += 60_000;
    // The same process goes on: what it remembers of the tokens must not be of the broken transaction.
    await foldAll(fold);
    expect((await standingRows(db)).observations).toHaveLength(1);
    expect(await db.asOwner('SELECT 1 FROM observations o JOIN tokens t ON t.id = o.key_id')).toHaveLength(1);
  });

  it('puts a batch off that cannot be folded, and folds the others meanwhile', async () => {
    await submit(submission(1, { observations: [observation('a', '1', 0)] }));
    await submit(submission(2, { observations: [observation('b', '2', 0)] }));
    await db.asOwner(`UPDATE batches SET payload = 'no batch' WHERE sequence = 1`);
    await foldAll();
    expect(await batches.receipt(upbit, batchId(1))).toMatchObject({ state: 'stored' });
    expect(await batches.receipt(upbit, batchId(2))).toMatchObject({ state: 'folded' });
    expect(await db.asOwner('SELECT fold_attempts FROM batches WHERE sequence = 1')).toEqual([{ fold_attempts: 1 }]);
  });

  describe('a batch that was taken back', () => {
    const rows: Record<number, Partial<BatchRows>> = {
      1: {
        observations: [observation('a', '1', 0), observation('a', '2', 30)],
        keyFacts: [facts('a', 'kim')],
        allowEntries: [allowEntry('a', '1', 0)],
      },
      2: {
        observations: [
          observation('a', '1', 0, { requests: 999 }),
          observation('a', '1', 80),
          observation('b', '3', 5),
        ],
        keyFacts: [facts('a', 'lee', { permissions: ['withdraw'] }), facts('b', 'lee')],
        allowEntries: [allowEntry('a', '1', 0, 9), allowEntry('b', '1', 0)],
      },
      3: { observations: [observation('a', '2', 30, { requests: 5 })], keyFacts: [facts('a', 'kim')] },
    };
    const standingOf = async (numbers: number[]) => {
      await clearSignals(db);
      for (const n of numbers) await submit(submission(n, rows[n]!));
      await foldAll();
      return standingRows(db);
    };

    it.each([[1], [2], [3]])('leaves the tables as if it had never come: batch %i of three', async (gone) => {
      const without = await standingOf([1, 2, 3].filter((n) => n !== gone));
      await standingOf([1, 2, 3]);
      await withdraw(gone);
      await foldAll();
      expect(await standingRows(db)).toEqual(without);
      expect(await batches.receipt(upbit, batchId(gone))).toMatchObject({ state: 'withdrawn' });
    });

    it('leaves no trace where it was not folded yet', async () => {
      const without = await standingOf([1, 3]);
      await clearSignals(db);
      for (const n of [1, 2, 3]) await submit(submission(n, rows[n]!));
      await withdraw(2);
      await foldAll();
      expect(await standingRows(db)).toEqual(without);
    });

    it('leaves nothing where all are taken back', async () => {
      await standingOf([1, 2, 3]);
      for (const n of [2, 1, 3]) await withdraw(n);
      await foldAll();
      expect(await standingRows(db)).toEqual({ observations: [], edges: [], facts: [], allow: [] });
    });

    it('has its keys and days assessed again', async () => {
      await standingOf([1, 2]);
      await db.asOwner('TRUNCATE touched');
      await withdraw(2);
      await foldAll();
      const touched = await db.asOwner<{ key: string; day: number }>(
        `SELECT DISTINCT left(encode(t.token, 'hex'), 8) AS key, day FROM touched JOIN tokens t ON t.id = key_id`,
      );
      expect(touched).toEqual(
        expect.arrayContaining([
          { key: short('key b'), day: FIRST_DAY },
          { key: short('key a'), day: FIRST_DAY + 3 },
        ]),
      );
    });
  });

  it('ends the same whatever the order of arrival and the split into batches', async () => {
    const row = fc.record({
      key: fc.constantFrom('a', 'b'),
      ip: fc.constantFrom('1', '2'),
      hour: fc.constantFrom(0, 1, 30),
    });
    const content = fc.record({
      observations: fc.array(row, { maxLength: 4 }),
      owners: fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('kim', 'lee')), { maxLength: 2 }),
      corporate: fc.boolean(),
      entries: fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2')), { maxLength: 2 }),
    });
    type Content = typeof content extends fc.Arbitrary<infer T> ? T : never;
    const batchOf = (n: number, c: Content) =>
      submission(n, {
        observations: distinct(c.observations).map((o) => observation(o.key, o.ip, o.hour, { requests: n * 10 })),
        keyFacts: c.owners.map(([key, owner]) =>
          facts(key, owner, { accountType: c.corporate ? 'corporate' : 'individual' }),
        ),
        allowEntries: distinct(c.entries).map(([key, ip]) => allowEntry(key, ip, 0, n * 10)),
      });
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 2, maxLength: 4 }).chain((batchesOf) =>
          fc.record({
            batchesOf: fc.constant(batchesOf),
            order: fc.shuffledSubarray(
              batchesOf.map((_, i) => i + 1),
              { minLength: batchesOf.length },
            ),
            together: fc.boolean(),
          }),
        ),
        async ({ batchesOf, order, together }) => {
          await clearSignals(db);
          for (let n = 1; n <= batchesOf.length; n++) {
            await submit(batchOf(n, batchesOf[n - 1]!));
            await foldAll();
          }
          const expected = await standingRows(db);
          await clearSignals(db);
          for (const n of order) {
            await submit(batchOf(n, batchesOf[n - 1]!));
            if (!together) await foldAll();
          }
          // Two workers at once, each with a memory of tokens of its own.
          await Promise.all([foldAll(), foldAll()]);
          expect(await standingRows(db)).toEqual(expected);
        },
      ),
      { numRuns: 20, seed: 20260601 },
    );
  });
});

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

class Wrapped extends Database {
  constructor(protected readonly inner: Database) {
    super();
  }

  transaction<T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.inner.transaction(principal, work);
  }

  ping(): Promise<void> {
    return this.inner.ping();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** Keeps each transaction open for a while when its work is done. */
class Lingering extends Wrapped {
  override transaction<T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.inner.transaction(principal, async (tx) => {
      const result = await work(tx);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return result;
    });
  }
}

/** Breaks the first transaction off when its work is done, before it commits. */
class BreakingOff extends Wrapped {
  private broken = false;

  override transaction<T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.inner.transaction(principal, async (tx) => {
      const result = await work(tx);
      if (this.broken) return result;
      this.broken = true;
      throw new Error('broke off');
    });
  }
}
