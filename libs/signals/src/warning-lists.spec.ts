import type { TestingModule } from '@nestjs/testing';
import { FakeClock } from '@app/infrastructure/clock';
import type { Principal } from '@app/infrastructure/database';
import { addMember, partsOf, type Member } from '../../../test/support/parts.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import type { NewWarningList } from './domain/warning-list.js';
import { WarningLists } from './warning-lists.service.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const DAY = 86_400_000;
const STAFF: Principal = { kind: 'staff', name: 'operator' };

const list = (name: string, change: Partial<NewWarningList> = {}): NewWarningList => ({
  name,
  source: 'https://lists.example/exits',
  description: '',
  entries: ['185.220.101.0/24', '2a0b:f4c2::/40'],
  expiresAt: new Date(NOW + 30 * DAY),
  allowPrivate: false,
  ...change,
});

describe('warning lists on PostgreSQL', () => {
  let db: TestDatabase;
  let module: TestingModule;
  let lists: WarningLists;
  let upbit: Member;
  const clock = new FakeClock(NOW);

  beforeAll(async () => {
    db = await createTestDatabase();
    upbit = await addMember(db, 'upbit');
    module = await partsOf(db, 'hub', clock);
    lists = module.get(WarningLists);
  });
  beforeEach(async () => {
    await db.asOwner('DELETE FROM warning_lists');
    clock.at = NOW;
  });
  afterAll(async () => {
    await module?.close();
    await db?.close();
  });

  /** What a member that follows the lists is told after a cursor: names, versions, whether they stand. */
  const told = async (after: number) =>
    (await lists.changes(upbit, after, 100)).map((l) => `${l.name} ${l.version}${l.endedAt ? ' ended' : ''}`);
  const last = async () => (await lists.changes(upbit, 0, 100)).at(-1)!.cursor;

  it('are read by members as staff put them in, in canonical form', async () => {
    const entries = ['2A0B:F4C2:0::/40', '185.220.101.0/24', '185.220.101.7'];
    const put = await lists.put(STAFF, list('tor', { description: ' Exits. ', entries }));
    const [read] = await lists.changes(upbit, 0, 10);
    expect(read).toEqual(put);
    expect(read).toEqual({
      name: 'tor',
      version: 1,
      cursor: expect.any(Number),
      source: 'https://lists.example/exits',
      description: 'Exits.',
      entryCount: 2,
      expiresAt: new Date(NOW + 30 * DAY),
      updatedAt: new Date(NOW),
      endedAt: null,
    });
    expect(await lists.entries(upbit, read!)).toEqual(['185.220.101.0/24', '2a0b:f4c2::/40']);
  });

  it('tell whoever follows them of what was added, changed and ended, once each', async () => {
    await lists.put(STAFF, list('tor'));
    await lists.put(STAFF, list('vpn'));
    const seen = await last();
    expect(await told(0)).toEqual(['tor 1', 'vpn 1']);
    expect(await told(seen)).toEqual([]);

    clock.at += DAY;
    await lists.put(STAFF, list('tor', { entries: ['1.1.1.1'] }));
    expect(await told(seen)).toEqual(['tor 2']);
    await lists.end(STAFF, 'vpn', 'its publisher gave up');
    await lists.put(STAFF, list('proxies'));
    expect(await told(seen)).toEqual(['tor 2', 'vpn 2 ended', 'proxies 1']);
    expect(await told(await last())).toEqual([]);

    const ended = (await lists.changes(upbit, 0, 100)).find((l) => l.name === 'vpn')!;
    expect(ended).toMatchObject({ entryCount: 0, endedAt: new Date(NOW + DAY) });
    const cursor = await last();
    await lists.end(STAFF, 'vpn', 'again');
    expect(await told(cursor)).toEqual([]);
    await lists.put(STAFF, list('vpn'));
    expect(await told(cursor)).toEqual(['vpn 3']);
  });

  it('lose no change to writers at the same time, whoever reads between them', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `list ${i}`);
    const followed: string[] = [];
    let cursor = 0;
    const follow = async () => {
      for (const l of await lists.changes(upbit, cursor, 100)) {
        followed.push(l.name);
        cursor = l.cursor;
      }
    };
    const writing = Promise.all(names.map((name) => lists.put(STAFF, list(name))));
    for (let i = 0; i < 10; i++) await follow();
    await writing;
    await follow();
    expect([...followed].sort()).toEqual([...names].sort());
  });

  it('tell a follower of another hub’s past to start again', async () => {
    await lists.put(STAFF, list('tor'));
    await expect(lists.changes(upbit, (await last()) + 5, 10)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      where: 'after',
    });
  });

  it('never give the entries of one version for those of another', async () => {
    const first = await lists.put(STAFF, list('tor'));
    await lists.put(STAFF, list('tor', { entries: ['1.1.1.1'] }));
    await expect(lists.entries(upbit, first)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it.each<[string, Partial<NewWarningList>, string]>([
    ['a name that no batch can carry', { name: 'x'.repeat(65) }, 'LIST_NAME_INVALID'],
    ['no source', { source: ' ' }, 'BAD_INPUT'],
    ['a source with control characters', { source: 'a\u0000b' }, 'BAD_INPUT'],
    ['an end in the past', { expiresAt: new Date(NOW) }, 'BAD_INPUT'],
    ['an end out of sight', { expiresAt: new Date(NOW + 367 * DAY) }, 'BAD_INPUT'],
    ['no time', { expiresAt: new Date(NaN) }, 'BAD_INPUT'],
    ['no entries', { entries: [] }, 'BAD_INPUT'],
    ['a private network', { entries: ['10.0.0.0/8'] }, 'BAD_INPUT'],
  ])('refuse %s', async (_what, change, code) => {
    await expect(Promise.resolve().then(() => lists.put(STAFF, list('tor', change)))).rejects.toMatchObject({ code });
    expect(await lists.changes(upbit, 0, 10)).toEqual([]);
  });

  it('stand 32 at a time, not counting those that are over', async () => {
    for (let i = 0; i < 32; i++) await lists.put(STAFF, list(`list ${i}`, { entries: ['1.1.1.1'] }));
    await expect(lists.put(STAFF, list('one more'))).rejects.toMatchObject({ code: 'BAD_INPUT', where: 'name' });
    await lists.put(STAFF, list('list 3'));
    await lists.end(STAFF, 'list 4', '');
    await lists.put(STAFF, list('one more'));
    clock.at = NOW + 31 * DAY;
    await lists.put(STAFF, list('another', { expiresAt: new Date(clock.at + DAY) }));
  });

  it('are on the audit with what changed, without their entries', async () => {
    const [last] = await db.asOwner<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM audit_log');
    await lists.put(STAFF, list('tor'));
    await lists.put(STAFF, list('tor', { entries: ['1.1.1.1'] }));
    await lists.end(STAFF, 'tor', 'wrong');
    await expect(lists.end(STAFF, 'nothing', '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const rows = await db.asOwner(
      'SELECT actor, action, subject, before, after, detail FROM audit_log WHERE id > $1 ORDER BY id',
      [last!.id],
    );
    expect(rows).toMatchObject([
      {
        actor: 'staff:operator',
        action: 'warning_list.put',
        subject: 'warning_list:tor',
        before: null,
        after: { version: 1, entryCount: 2, contentHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
      { action: 'warning_list.put', before: { entryCount: 2 }, after: { version: 2, entryCount: 1 } },
      { action: 'warning_list.ended', after: { version: 3, entryCount: 0 }, detail: { reason: 'wrong' } },
    ]);
    expect(JSON.stringify(rows)).not.toContain('185.220');
  });

  it('are written by nobody but staff, by the database’s own word, and seen by nobody without a part in them', async () => {
    await lists.put(STAFF, list('tor'));
    await expect(lists.put(upbit, list('mine'))).rejects.toThrow(/row-level security/);
    expect(
      await db.hub.transaction(upbit, (tx) => tx.query(`UPDATE warning_lists SET ended_at = now(), entries = '{}'`)),
    ).toEqual([[], 0]);
    await expect(db.hub.transaction(STAFF, (tx) => tx.query('DELETE FROM warning_lists'))).rejects.toThrow(
      /permission denied/,
    );
    const nobody = { kind: '', name: '' } as unknown as Principal;
    for (const who of [
      nobody,
      { kind: 'regulator', name: 'fss' } as const,
      { kind: 'gate', name: 'identity' } as const,
    ])
      expect(await lists.changes(who, 0, 10)).toEqual([]);
    const job: Principal = { kind: 'job', name: 'fold' };
    await expect(db.worker.transaction(job, (tx) => tx.query('SELECT 1 FROM warning_lists'))).rejects.toThrow(
      /permission denied/,
    );
  });
});
