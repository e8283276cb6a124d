import { FakeClock } from '@app/infrastructure/clock';
import { FakeJobs } from '@app/infrastructure/queue';
import { MAX_BATCH_BYTES, MAX_BATCH_ROWS, type BatchColumns, toColumns, encodeColumns } from '@app/protocol';
import { addMember, partsOf, type Member } from '../../../test/support/parts.js';
import { allowEntry, batchId, facts, FIRST_HOUR, observation, submission } from '../../../test/support/signals.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { tokenText } from '../../../test/support/tokens.js';
import { Batches } from './batches.service.js';
import { SubmitSignals, type Submission } from './submit-signals.service.js';

const HOUR_MS = 3_600_000;
const iso = (hour: number) => new Date((FIRST_HOUR + hour) * HOUR_MS).toISOString();

const goodRow = {
  key: tokenText('key a'),
  ip: tokenText('ip 1'),
  prefix: tokenText('prefix 1'),
  client: tokenText('client'),
  hour: iso(0),
  network: 'hosting',
  requests: 10,
  orders: 1,
  rejected: 0,
  activeSlots: 1,
  burstSlots: 0,
};
const goodEntry = { key: tokenText('key a'), ip: tokenText('ip 1'), prefix: tokenText('prefix 1'), addedAt: iso(0) };
const goodFacts = {
  key: tokenText('key a'),
  owner: tokenText('owner a'),
  accountType: 'individual',
  permissions: ['read'],
  createdAt: iso(-100),
};

describe('submitting signals', () => {
  let db: TestDatabase;
  let upbit: Member;
  let bithumb: Member;
  let submit: (member: Member, s: Submission) => ReturnType<SubmitSignals['submit']>;
  let batches: Batches;
  let closeParts: () => Promise<void>;
  const jobs = new FakeJobs();
  const clock = new FakeClock((FIRST_HOUR + 48) * HOUR_MS + 60_000);
  let next = 1000;
  /** A submission of lists with a sequence number of its own. */
  const lists = (rows: Partial<NonNullable<Submission['rows']>>): Submission => {
    const { compact: _none, ...envelope } = submission(next++, {});
    return { ...envelope, rows: { observations: [], allowEntries: [], keyFacts: [], ...rows } };
  };
  const fresh = (...args: Parameters<typeof submission> extends [number, ...infer R] ? R : never) =>
    submission(next++, ...args);

  beforeAll(async () => {
    db = await createTestDatabase();
    upbit = await addMember(db, 'upbit');
    bithumb = await addMember(db, 'bithumb');
    const parts = await partsOf(db, 'hub', clock, { jobs });
    closeParts = () => parts.close();
    submit = (member, s) => parts.get(SubmitSignals).submit(member, s);
    batches = parts.get(Batches);
    await db.asOwner(`INSERT INTO epochs VALUES (2, 'closed', now())`);
  });
  afterAll(async () => {
    await closeParts?.();
    await db?.close();
  });

  it('answers durably, and wakes the fold', async () => {
    const before = jobs.woken.length;
    const receipt = await submit(upbit, submission(1, { observations: [observation('a', '1', 0)] }));
    expect(receipt).toMatchObject({ batchId: batchId(1), sequence: 1, accepted: 1, rejected: 0, state: 'stored' });
    expect(receipt.receivedAt).toEqual(new Date(clock.now()));
    const [row] = await db.asOwner<{ state: string }>('SELECT state FROM batches WHERE batch_id = $1', [batchId(1)]);
    expect(row).toEqual({ state: 'stored' });
    expect(jobs.woken.slice(before)).toEqual([{ name: 'fold', payload: {} }]);
    expect(await batches.receipt(upbit, batchId(1))).toEqual(receipt);
  });

  describe('a batch that was sent before', () => {
    it('gets its first receipt again, and is stored once', async () => {
      const sent = fresh({ observations: [observation('a', '1', 200), observation('a', '1', 1)] });
      const first = await submit(upbit, sent);
      clock.at += 5000;
      expect(await submit(upbit, sent)).toEqual(first);
      expect(first.rejections).toHaveLength(1);
      const rows = await db.asOwner('SELECT 1 FROM batches WHERE batch_id = $1', [sent.batchId]);
      expect(rows).toHaveLength(1);
    });

    it('gets one receipt even where it arrives twice at once', async () => {
      const sent = fresh({ observations: [observation('a', '1', 2)] });
      const [one, two, three] = await Promise.all([1, 2, 3].map(() => submit(upbit, sent)));
      expect(two).toEqual(one);
      expect(three).toEqual(one);
      expect(await db.asOwner('SELECT 1 FROM batches WHERE batch_id = $1', [sent.batchId])).toHaveLength(1);
    });

    it.each<[string, Partial<Submission>]>([
      ['rows', { compact: submission(1, { observations: [observation('a', '1', 9)] }).compact! }],
      ['sequence', { sequence: 900_000 }],
      ['legal basis', { legalBasis: 'contract_terms' }],
    ])('is refused with other content: %s', async (_what, change) => {
      const sent = fresh({ observations: [observation('a', '1', 3)] });
      await submit(upbit, sent);
      await expect(submit(upbit, { ...sent, ...change })).rejects.toMatchObject({
        code: 'BATCH_CONFLICT',
        where: 'batchId',
      });
    });
  });

  it('refuses a sequence number that another batch of the member has', async () => {
    const sent = fresh({ observations: [observation('a', '1', 4)] });
    await submit(upbit, sent);
    await expect(submit(upbit, { ...sent, batchId: batchId(777) })).rejects.toMatchObject({
      code: 'BATCH_CONFLICT',
      where: 'sequence',
    });
    await expect(submit(bithumb, sent)).resolves.toMatchObject({ accepted: 1 });
    expect(await batches.receipt(bithumb, batchId(1))).toBeNull();
  });

  it('knows the highest sequence number of each member', async () => {
    const korbit = await addMember(db, 'korbit');
    expect(await batches.lastSequence(korbit)).toBe(0);
    await submit(korbit, submission(41, { observations: [observation('a', '1', 4)] }));
    await submit(korbit, submission(7, { observations: [observation('a', '1', 4)] }));
    expect(await batches.lastSequence(korbit)).toBe(41);
  });

  it.each<[string, Partial<Submission>, object]>([
    ['a batch id that is no UUID', { batchId: 'b-1' }, { code: 'BAD_INPUT', where: 'batchId' }],
    ['sequence 0', { sequence: 0 }, { code: 'BAD_INPUT', where: 'sequence' }],
    ['a fractional sequence', { sequence: 1.5 }, { code: 'BAD_INPUT', where: 'sequence' }],
    ['a sequence beyond exact numbers', { sequence: 2 ** 53 }, { code: 'BAD_INPUT', where: 'sequence' }],
    ['an unknown epoch', { epoch: 9 }, { code: 'EPOCH_UNKNOWN', where: 'epoch' }],
    ['an epoch that cannot be stored', { epoch: 2 ** 31 - 1 }, { code: 'EPOCH_UNKNOWN', where: 'epoch' }],
    ['a closed epoch', { epoch: 2 }, { code: 'EPOCH_CLOSED', where: 'epoch' }],
    ['both forms', { rows: { observations: [], allowEntries: [], keyFacts: [] } }, { code: 'BAD_INPUT' }],
    ['bytes that are no batch', { compact: new Uint8Array(100) }, { code: 'BATCH_MALFORMED', where: 'header' }],
    ['no bytes', { compact: new Uint8Array(0) }, { code: 'BATCH_MALFORMED', where: 'header' }],
    ['too many bytes', { compact: new Uint8Array(MAX_BATCH_BYTES + 1) }, { code: 'BATCH_TOO_LARGE' }],
  ])('refuses %s, storing nothing', async (_what, change, expected) => {
    const sent = { ...fresh({ observations: [observation('a', '1', 5)] }), ...change };
    await expect(submit(upbit, sent)).rejects.toMatchObject(expected);
    expect(await db.asOwner('SELECT 1 FROM batches WHERE batch_id::text = $1', [sent.batchId])).toEqual([]);
  });

  it('refuses a compact form that is cut off, has an end too many, or points outside its dictionaries', async () => {
    const whole = submission(1, { observations: [observation('a', '1', 5)], keyFacts: [facts('a', 'a')] }).compact!;
    const outside = Buffer.from(whole);
    // The first column after five dictionaries of one token, the list names ("[]", padded) and one prefix: its key.
    outside.writeUInt32LE(7, 40 + 5 * 32 + 4 + 4);
    for (const compact of [whole.subarray(0, whole.length - 4), Buffer.concat([whole, Buffer.alloc(4)]), outside])
      await expect(submit(upbit, fresh({}, { compact }))).rejects.toMatchObject({ code: 'BATCH_MALFORMED' });
  });

  it('takes the most rows that a batch may have, and refuses one more, in both forms', async () => {
    const rows = Array.from({ length: MAX_BATCH_ROWS + 1 }, (_, i) => observation('a', `${i}`, 5));
    await expect(submit(upbit, fresh({ observations: rows }))).rejects.toMatchObject({ code: 'BATCH_TOO_LARGE' });
    const listed = Array.from({ length: MAX_BATCH_ROWS + 1 }, () => goodEntry);
    await expect(submit(upbit, lists({ allowEntries: listed }))).rejects.toMatchObject({ code: 'BATCH_TOO_LARGE' });
    const most = await submit(upbit, fresh({ observations: rows.slice(0, MAX_BATCH_ROWS) }));
    expect(most.accepted).toBe(MAX_BATCH_ROWS);
  });

  it('names every bad row of a list by section, index and code, and keeps the rest', async () => {
    const bad: [Partial<typeof goodRow> & { lists?: string[] }, string][] = [
      [{ key: 'abc' }, 'TOKEN_MALFORMED'],
      [{ ip: `${tokenText('ip 1')}A` }, 'TOKEN_MALFORMED'],
      [{ hour: '2026-06-01T00:30:00Z' }, 'HOUR_MALFORMED'],
      [{ hour: '2026-06-01 00:00' }, 'HOUR_MALFORMED'],
      [{ hour: iso(49) }, 'HOUR_IN_FUTURE'],
      [{ hour: iso(48 - 90 * 24 - 1) }, 'HOUR_TOO_OLD'],
      [{ network: 'satellite' }, 'NETWORK_UNKNOWN'],
      [{ requests: -1 }, 'COUNT_OUT_OF_RANGE'],
      [{ orders: 1.5 }, 'COUNT_OUT_OF_RANGE'],
      [{ rejected: 3_600_001 }, 'COUNT_OUT_OF_RANGE'],
      [{ activeSlots: 4096 }, 'SLOTS_OUT_OF_RANGE'],
      [{ burstSlots: -1 }, 'SLOTS_OUT_OF_RANGE'],
      [{ lists: [''] }, 'LIST_NAME_INVALID'],
    ];
    const observations = [
      { ...goodRow, hour: iso(48) },
      ...bad.map(([change]) => ({ ...goodRow, ...change })),
      { ...goodRow, hour: iso(48 - 90 * 24) },
      { ...goodRow, hour: iso(48), requests: 99 },
    ];
    const allowEntries = [{ ...goodEntry, addedAt: 'yesterday' }, goodEntry, { ...goodEntry, removedAt: iso(-1) }];
    const keyFacts = [
      { ...goodFacts, accountType: 'whale' },
      { ...goodFacts, permissions: ['fly'] },
      { ...goodFacts, expiresAt: iso(-101) },
      { ...goodFacts, owner: '' },
      goodFacts,
    ];
    const receipt = await submit(upbit, lists({ observations, allowEntries, keyFacts }));
    const told = receipt.rejections.map(({ section, index, code }) => ({ section, index, code }));
    expect(told).toEqual([
      { section: 'allowEntries', index: 0, code: 'TIME_MALFORMED' },
      { section: 'allowEntries', index: 2, code: 'INTERVAL_INVALID' },
      { section: 'keyFacts', index: 0, code: 'ACCOUNT_TYPE_UNKNOWN' },
      { section: 'keyFacts', index: 1, code: 'PERMISSION_UNKNOWN' },
      { section: 'keyFacts', index: 2, code: 'INTERVAL_INVALID' },
      { section: 'keyFacts', index: 3, code: 'TOKEN_MALFORMED' },
      ...bad.map(([, code], i) => ({ section: 'observations', index: i + 1, code })),
      { section: 'observations', index: bad.length + 2, code: 'ROW_DUPLICATE' },
    ]);
    expect(receipt).toMatchObject({ accepted: 4, rejected: told.length });
    for (const { message } of receipt.rejections) expect(message).toMatch(/\w/);
  });

  it('names every bad row of the compact form the same way', async () => {
    const columns: BatchColumns = toColumns({
      observations: [0, 1, 2, 3, 4, 5, 6].map((hour) => observation('a', '1', hour)),
      allowEntries: [allowEntry('a', '1', 5, 6)],
      keyFacts: [facts('a', 'a'), facts('b', 'b'), facts('c', 'c')],
    });
    const o = columns.observations;
    o.hour[0] = FIRST_HOUR + 49;
    o.hour[1] = 1;
    o.network[2] = 5;
    o.requests[3] = 3_600_001;
    o.activeSlots[4] = 0xffff;
    o.hour[6] = o.hour[5]!;
    columns.allowEntries.removedAt[0] = 1;
    columns.keyFacts.accountType[0] = 4;
    columns.keyFacts.permissions[1] = 8;
    const receipt = await submit(upbit, fresh({}, { compact: encodeColumns(columns) }));
    expect(receipt).toMatchObject({ accepted: 2, rejected: 9 });
    expect(receipt.rejections.map(({ section, index, code }) => `${section} ${index} ${code}`).sort()).toEqual(
      [
        'observations 0 HOUR_IN_FUTURE',
        'observations 1 HOUR_TOO_OLD',
        'observations 2 NETWORK_UNKNOWN',
        'observations 3 COUNT_OUT_OF_RANGE',
        'observations 4 SLOTS_OUT_OF_RANGE',
        'observations 6 ROW_DUPLICATE',
        'allowEntries 0 INTERVAL_INVALID',
        'keyFacts 0 ACCOUNT_TYPE_UNKNOWN',
        'keyFacts 1 PERMISSION_UNKNOWN',
      ].sort(),
    );
  });

  it('takes a batch of which no row is good, and says so', async () => {
    const receipt = await submit(upbit, lists({ observations: [{ ...goodRow, key: 'x' }] }));
    expect(receipt).toMatchObject({ accepted: 0, rejected: 1, state: 'stored' });
  });

  it('takes back only a batch of the member’s own, again without harm', async () => {
    const sent = fresh({ observations: [observation('a', '1', 6)] });
    await submit(upbit, sent);
    await expect(batches.withdraw(bithumb, sent.batchId, 'not mine')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(batches.withdraw(upbit, 'no such id', 'typo')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await batches.withdraw(upbit, sent.batchId, 'wrong day')).toMatchObject({ state: 'withdrawing' });
    expect(await batches.withdraw(upbit, sent.batchId, 'wrong day')).toMatchObject({ state: 'withdrawing' });
    const audited = await db.asOwner(
      `SELECT actor FROM audit_log WHERE action = 'batch.withdrawn' AND subject = 'batch:' || $1`,
      [sent.batchId],
    );
    expect(audited).toEqual([{ actor: 'member:upbit' }]);
  });
});
