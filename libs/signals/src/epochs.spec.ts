import { FakeClock } from '@app/infrastructure/clock';
import type { Principal } from '@app/infrastructure/database';
import { FakeJobs } from '@app/infrastructure/queue';
import type { BatchRows, TokenKind } from '@app/protocol';
import { addMember, partsOf, type Member } from '../../../test/support/parts.js';
import { allowEntry, batchId, facts, FIRST_HOUR, observation, submission } from '../../../test/support/signals.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { token } from '../../../test/support/tokens.js';
import { Batches } from './batches.service.js';
import { Epochs } from './epochs.service.js';
import { Fold } from './fold.service.js';
import { Rotate } from './rotate.service.js';
import { SubmitSignals } from './submit-signals.service.js';

const staff: Principal = { kind: 'staff', name: 'kim', roles: ['staff_operator'] };
const clock = new FakeClock((FIRST_HOUR + 30 * 24) * 3_600_000);
const key = (name: string) => Buffer.from(token(`public key ${name}`)).toString('base64url');
const hex = (name: string) => Buffer.from(token(name)).toString('hex');

/** A value's tokens under both keys; `as` names another value's new token. */
const pair = (kind: TokenKind, name: string, as = name) => ({
  kind,
  old: token(`${kind} ${name}`),
  new: token(`new ${kind} ${as}`),
});
const isNew = (rows: BatchRows): BatchRows => {
  const to = (name: string) => token(`new ${name}`);
  const names = ['key a', 'key b', 'key c', 'ip 1', 'ip 2', 'prefix 1', 'prefix 2', 'client requests', 'owner kim'];
  const byOld = new Map(names.map((name) => [hex(name), to(name)]));
  const swap = <T extends object>(row: T): T =>
    Object.fromEntries(
      Object.entries(row).map(([k, v]) => [
        k,
        v instanceof Uint8Array ? (byOld.get(Buffer.from(v).toString('hex')) ?? v) : v,
      ]),
    ) as T;
  return {
    observations: rows.observations.map(swap),
    allowEntries: rows.allowEntries.map(swap),
    keyFacts: rows.keyFacts.map(swap),
  };
};

/** Every row by the names of its tokens, and the ids that they rest on. */
async function stand(db: TestDatabase) {
  const names = new Map<string, string>();
  for (const kind of ['key', 'ip', 'prefix', 'client', 'owner'])
    for (const name of ['a', 'b', 'c', '1', '2', '3', 'requests', 'kim', 'lee'])
      for (const age of ['', 'new ']) names.set(hex(`${age}${kind} ${name}`), `${age}${kind} ${name}`);
  const named = (t: unknown) => names.get((t as Buffer).toString('hex')) ?? 'unknown';
  const tokens = await db.asOwner<{ id: number; token: Buffer }>('SELECT id, token FROM tokens');
  const of = new Map(tokens.map((row) => [row.id, named(row.token)]));
  const list = async (sql: string) =>
    (await db.asOwner<{ member: string; ids: number[]; rest: string }>(sql))
      .map(({ member, ids, rest }) => [member, ...ids.map((id) => of.get(id)), rest].join(' '))
      .sort();
  return {
    ids: Object.fromEntries([...of].map(([id, name]) => [name, id])),
    observations: await list(
      `SELECT m.name AS member, ARRAY[key_id, ip_id, client_id] AS ids, 'h' || hour - ${FIRST_HOUR} AS rest
       FROM observations o JOIN members m ON m.id = o.member_id`,
    ),
    edges: await list(
      `SELECT m.name AS member, ARRAY[a, b] AS ids, '' AS rest FROM edges e JOIN members m ON m.id = e.member_id`,
    ),
    facts: await list(
      `SELECT m.name AS member, ARRAY[key_id, owner_id] AS ids, '' AS rest FROM key_facts e JOIN members m ON m.id = e.member_id`,
    ),
    allow: await list(
      `SELECT m.name AS member, ARRAY[key_id, ip_id] AS ids, '' AS rest FROM allow_entries e JOIN members m ON m.id = e.member_id`,
    ),
    prefixes: await list(`SELECT '' AS member, ARRAY[ip_id, prefix_id] AS ids, '' AS rest FROM ip_prefixes`),
  };
}

describe('a change of the blinding key', () => {
  let db: TestDatabase;
  let upbit: Member;
  let korbit: Member;
  let gopax: Member;
  let epochs: Epochs;
  let signals: SubmitSignals;
  let batches: Batches;
  let fold: Fold;
  let rotate: Rotate;
  const jobs = new FakeJobs();
  let close: () => Promise<void>;

  beforeEach(async () => {
    db = await createTestDatabase();
    [upbit, korbit, gopax] = [
      await addMember(db, 'upbit'),
      await addMember(db, 'korbit'),
      await addMember(db, 'gopax'),
    ];
    const [hub, worker] = [await partsOf(db, 'hub', clock, { jobs }), await partsOf(db, 'worker', clock, { jobs })];
    epochs = hub.get(Epochs);
    signals = hub.get(SubmitSignals);
    batches = hub.get(Batches);
    fold = worker.get(Fold);
    rotate = worker.get(Rotate);
    close = async () => {
      await hub.close();
      await worker.close();
    };
  });
  afterEach(async () => {
    await close?.();
    await db?.close();
  });

  const foldAll = async () => {
    while (await fold.foldNext());
  };
  const turn = async () => {
    while (await rotate.step());
  };
  const announce = () => epochs.announce(staff, 2, [key('x'), key('y')]);
  const states = async () => (await epochs.list(upbit)).map((epoch) => epoch.state);
  const send = (member: Member, n: number, rows: BatchRows, epoch = 1) =>
    signals.submit(member, { ...submission(n, rows), epoch, batchId: batchId(n * 10 + member.memberId) });
  const rowsOf = (k: string, hour = 0, ip = '1'): BatchRows => ({
    observations: [observation(k, ip, hour)],
    allowEntries: [allowEntry(k, ip, -5)],
    keyFacts: [facts(k, 'kim')],
  });
  const all = (k: string, ip = '1') => [
    pair('key', k),
    pair('ip', ip),
    pair('prefix', ip),
    pair('client', 'requests'),
    pair('owner', 'kim'),
  ];
  const switchOver = async () => {
    await epochs.switch(staff, 2);
    await turn();
  };

  it('goes its way in order, one at a time, and says so in the audit', async () => {
    await expect(epochs.announce(staff, 3, [key('x')])).rejects.toMatchObject({ code: 'BAD_INPUT', where: 'number' });
    await expect(epochs.announce(staff, 2, ['no'])).rejects.toMatchObject({ where: 'publicKeys' });
    await expect(epochs.announce(upbit, 2, [key('x')])).rejects.toThrow();
    expect(await epochs.announce(staff, 1, [key('1')])).toMatchObject({ state: 'active', publicKeys: [key('1')] });
    await expect(epochs.announce(staff, 1, [key('2')])).rejects.toMatchObject({ where: 'publicKeys' });
    await expect(epochs.announce(staff, 2, [key('1')])).rejects.toMatchObject({ where: 'publicKeys' });
    await announce();
    await announce();
    expect(await states()).toEqual(['active', 'announced']);
    await expect(epochs.announce(staff, 3, [key('z')])).rejects.toMatchObject({ where: 'number' });
    await expect(epochs.close(staff, 1)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(send(upbit, 1, rowsOf('a'), 2)).rejects.toMatchObject({ code: 'EPOCH_UNKNOWN' });
    await switchOver();
    expect(await states()).toEqual(['closing', 'active']);
    await epochs.switch(staff, 2);
    await epochs.close(staff, 1);
    await expect(send(upbit, 1, rowsOf('a'))).rejects.toMatchObject({ code: 'EPOCH_CLOSED' });
    await turn();
    expect(await states()).toEqual(['closed', 'active']);
    await expect(send(upbit, 1, rowsOf('a'))).rejects.toMatchObject({ code: 'EPOCH_CLOSED' });
    const record = { publicKey: key('1'), destroyedAt: new Date(0), by: 'lee@holder', auditSeq: 7 };
    await expect(epochs.recordDestruction(staff, 2, record)).rejects.toMatchObject({ where: 'number' });
    await expect(epochs.recordDestruction(staff, 1, { ...record, publicKey: key('x') })).rejects.toMatchObject({
      where: 'publicKey',
    });
    await epochs.recordDestruction(staff, 1, record);
    const { destroyed } = await epochs.recordDestruction(staff, 1, { ...record, by: 'another' });
    expect(destroyed).toMatchObject([{ publicKey: key('1'), by: 'lee@holder', recordedBy: 'staff:kim' }]);
    const actions = await db.asOwner<{ action: string }>('SELECT action FROM audit_log ORDER BY id');
    expect(actions.map((row) => row.action)).toEqual([
      'epoch.announced', 'epoch.announced', 'epoch.switch_asked', 'epoch.switched', 'epoch.close_asked',
      'epoch.closed', 'epoch.key_destroyed',
    ]); // prettier-ignore
  });

  it('leaves every row where it is, under its new token, where members agree', async () => {
    await send(upbit, 1, rowsOf('a'));
    await send(korbit, 1, rowsOf('b'));
    await foldAll();
    const before = await stand(db);
    await db.asOwner('DELETE FROM touched');
    await announce();
    expect(await epochs.reenroll(upbit, 2, all('a'), true)).toEqual({ accepted: 5, refused: [], pending: 5 });
    expect(await epochs.reenroll(korbit, 2, all('b'), true)).toMatchObject({ accepted: 5 });
    // Again is fine, and whoever was cut off sees what waits.
    expect(await epochs.reenroll(upbit, 2, all('a'), true)).toEqual({ accepted: 5, refused: [], pending: 5 });
    expect(await epochs.progress(staff, 2)).toMatchObject([
      { memberId: upbit.memberId, pairs: 5, completedAt: new Date(clock.now()) },
      { memberId: korbit.memberId, pairs: 5 },
    ]);
    await switchOver();
    const after = await stand(db);
    expect(after.ids).toEqual(Object.fromEntries(Object.entries(before.ids).map(([name, id]) => [`new ${name}`, id])));
    expect(await db.asOwner('SELECT * FROM touched')).toEqual([]);
    // A late batch of the old epoch, and one of the new, stand on the same tokens.
    await send(upbit, 2, rowsOf('a', 1));
    await send(upbit, 3, isNew(rowsOf('a', 2)), 2);
    await foldAll();
    const both = await stand(db);
    expect(both.ids).toEqual(after.ids);
    expect(both.observations.filter((row) => row.startsWith('upbit'))).toEqual(
      [0, 1, 2].map((h) => `upbit new key a new ip 1 new client requests h${h}`),
    );
  });

  it('puts stored batches right as it closes, and forgets the pairs', async () => {
    await send(upbit, 1, rowsOf('a'));
    await send(upbit, 2, rowsOf('a', 1));
    await foldAll();
    await announce();
    await epochs.reenroll(upbit, 2, all('a'), true);
    await switchOver();
    await epochs.close(staff, 1);
    await turn();
    expect(await db.asOwner('SELECT 1 FROM reenrolments')).toEqual([]);
    expect(await db.asOwner('SELECT 1 FROM reenrolled')).toEqual([]);
    for (const name of ['key a', 'ip 1', 'owner kim'])
      expect(await db.asOwner('SELECT 1 FROM batches WHERE position($1::bytea IN payload) > 0', [token(name)])).toEqual(
        [],
      );
    // Undoing one folds the other again from its stored form.
    await batches.withdraw(upbit, batchId(10 + upbit.memberId), 'a test');
    await foldAll();
    const { observations, facts: known } = await stand(db);
    expect(observations).toEqual(['upbit new key a new ip 1 new client requests h1']);
    expect(known).toEqual(['upbit new key a new owner kim ']);
  });

  it('takes no pair of what the member has not observed itself', async () => {
    await send(upbit, 1, rowsOf('a'));
    await send(korbit, 1, rowsOf('b', 0, '2'));
    await foldAll();
    await expect(epochs.reenroll(upbit, 2, [], false)).rejects.toMatchObject({ code: 'EPOCH_UNKNOWN' });
    await announce();
    const { accepted, refused } = await epochs.reenroll(
      gopax,
      2,
      [...all('a'), pair('key', 'b'), { ...pair('ip', '1'), old: new Uint8Array(31) }],
      true,
    );
    expect(accepted).toBe(0);
    expect(refused.map(({ index, code }) => `${index} ${code}`)).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((i) => `${i} NOT_FOUND`),
      '6 TOKEN_MALFORMED',
    ]);
    // Each of its values has one new token, and each new token one value.
    const twice = [pair('ip', '1'), pair('ip', '1', '9'), pair('ip', '2'), pair('prefix', '1', '5')];
    expect(await epochs.reenroll(upbit, 2, twice, false)).toMatchObject({
      accepted: 2,
      refused: [
        { index: 1, code: 'REENROLMENT_CONFLICT' },
        { index: 2, code: 'NOT_FOUND' },
      ],
    });
  });

  const honestRows = [
    'upbit new key a new ip 1 new client requests h0',
    'korbit new key b new ip 1 new client requests h0',
  ];

  it.each<[string, ReturnType<typeof pair>[], string]>([
    ['splits an address', [pair('ip', '1', '3')], 'gopax key c new ip 3 client requests h0'],
    [
      'calls an address another',
      [pair('ip', '1', '2'), pair('client', 'requests')],
      'gopax key c new ip 2 new client requests h0',
    ],
    ['says nothing', [], 'gopax key c ip 1 client requests h0'],
    ['lies of a prefix', [pair('ip', '1'), pair('prefix', '1', '2')], 'gopax key c new ip 1 client requests h0'],
  ])('moves a member’s own rows alone where it %s', async (_, lies, own) => {
    await send(upbit, 1, rowsOf('a'));
    await send(korbit, 1, rowsOf('b'));
    await send(korbit, 2, { ...rowsOf('b', 1, '2'), keyFacts: [] });
    await send(gopax, 1, { observations: [observation('c', '1', 0)], allowEntries: [], keyFacts: [] });
    await foldAll();
    await announce();
    await epochs.reenroll(gopax, 2, lies, true);
    await epochs.reenroll(upbit, 2, all('a'), true);
    await epochs.reenroll(korbit, 2, [...all('b'), pair('ip', '2'), pair('prefix', '2')], true);
    await switchOver();
    const { observations, edges, facts: known, allow, prefixes } = await stand(db);
    expect(observations).toEqual([...honestRows, 'korbit new key b new ip 2 new client requests h1', own].sort());
    expect(edges.filter((row) => !row.startsWith('gopax'))).toEqual([
      'korbit new key b new client requests ',
      'korbit new key b new ip 1 ',
      'korbit new key b new ip 2 ',
      'upbit new key a new client requests ',
      'upbit new key a new ip 1 ',
    ]);
    expect(known).toEqual(['korbit new key b new owner kim ', 'upbit new key a new owner kim ']);
    expect(allow).toEqual(['korbit new key b new ip 1 ', 'korbit new key b new ip 2 ', 'upbit new key a new ip 1 ']);
    expect(prefixes).toEqual(expect.arrayContaining([' new ip 1 new prefix 1 ', ' new ip 2 new prefix 2 ']));
  });

  it('carries over who comes late, until the old epoch is closed', async () => {
    await send(upbit, 1, rowsOf('a'));
    await send(korbit, 1, rowsOf('b'));
    await foldAll();
    await announce();
    await epochs.reenroll(upbit, 2, all('a'), true);
    await switchOver();
    expect((await stand(db)).observations).toEqual([
      'korbit key b ip 1 client requests h0',
      'upbit new key a new ip 1 new client requests h0',
    ]);
    expect(await epochs.reenroll(korbit, 2, all('b'), true)).toEqual({ accepted: 5, refused: [], pending: 5 });
    expect(jobs.woken.at(-1)).toEqual({ name: 'rotate', payload: {} });
    await turn();
    expect(await epochs.reenroll(korbit, 2, [], true)).toEqual({ accepted: 0, refused: [], pending: 0 });
    const after = await stand(db);
    expect(after.observations).toEqual([...honestRows].sort());
    expect(Object.keys(after.ids).filter((name) => !name.startsWith('new'))).toEqual([]);
    await epochs.close(staff, 1);
    await expect(epochs.reenroll(korbit, 2, all('b'), true)).rejects.toMatchObject({ code: 'EPOCH_UNKNOWN' });
  });

  it('lets a late pair of a key that is in use under its new token stand aside', async () => {
    await send(upbit, 1, rowsOf('a'));
    await foldAll();
    await announce();
    await switchOver();
    await send(upbit, 2, isNew(rowsOf('a', 1)), 2);
    await foldAll();
    expect(await epochs.reenroll(upbit, 2, [pair('key', 'a')], true)).toMatchObject({
      refused: [{ index: 0, code: 'REENROLMENT_CONFLICT' }],
    });
    // An address is no such case: its rows come together.
    await epochs.reenroll(upbit, 2, [pair('ip', '1'), pair('client', 'requests')], true);
    await turn();
    expect((await stand(db)).observations).toEqual([
      'upbit key a new ip 1 new client requests h0',
      'upbit new key a new ip 1 new client requests h1',
    ]);
  });
});
