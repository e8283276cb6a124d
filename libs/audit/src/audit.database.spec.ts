import type { TestingModule } from '@nestjs/testing';
import pg from 'pg';
import { FakeClock } from '@app/infrastructure/clock';
import { within } from '@app/infrastructure/logging';
import type { Principal } from '@app/infrastructure/database';
import { addMember, partsOf, type Member } from '../../../test/support/parts.js';
import { batchId, FIRST_HOUR, submission } from '../../../test/support/signals.js';
import { settled } from '../../../test/support/settled.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { SubmitSignals, Batches } from '@app/signals';
import { Recommendations } from '@app/recommendations';
import { issueRecommendation } from '../../../test/support/recommendations.js';
import { AuditLog } from './audit-log.service.js';
import { AuditTrail } from './audit-trail.service.js';
import { Refusals } from './refusals.service.js';

const NOW = (FIRST_HOUR + 240) * 3_600_000;
const AUDITOR: Principal = { kind: 'staff', name: 'cho', roles: ['auditor'] };
const OPERATOR: Principal = { kind: 'staff', name: 'kim', roles: ['staff_operator'] };

describe('the audit', () => {
  let db: TestDatabase;
  let parts: TestingModule;
  let upbit: Member;
  let bithumb: Member;
  const clock = new FakeClock(NOW);

  beforeAll(async () => {
    db = await createTestDatabase();
    parts = await partsOf(db, 'hub', clock);
    upbit = await addMember(db, 'upbit');
    bithumb = await addMember(db, 'bithumb');
  });
  afterAll(async () => {
    await parts?.close();
    await db?.close();
  });

  const trail = () => parts.get(AuditTrail);
  const record = (subject: string, action = 'test.done') =>
    db.hub.transaction(OPERATOR, (tx) => parts.get(AuditLog).record(tx, { actor: 'staff:kim', action, subject }));
  const subjects = async (after: string, action = 'test.done') => {
    await settled(db);
    return (await trail().page(AUDITOR, after, 500, { action })).entries.map((e) => e.subject);
  };

  it('tells who, what, when, from where, before and after', async () => {
    await within({ requestId: 'req-1', from: '192.0.2.9' }, () =>
      db.hub.transaction(OPERATOR, (tx) =>
        parts.get(AuditLog).record(tx, {
          actor: 'staff:kim',
          action: 'thing.changed',
          subject: 'thing:1',
          before: { state: 'a', same: 1 },
          after: { state: 'b', same: 1 },
          detail: { reason: 'because' },
        }),
      ),
    );
    await settled(db);
    const { entries } = await trail().page(AUDITOR, '', 10, { action: 'thing.' });
    expect(entries).toEqual([
      {
        cursor: expect.stringMatching(/^\d+\.\d+$/),
        at: new Date(NOW),
        actor: 'staff:kim',
        action: 'thing.changed',
        subject: 'thing:1',
        from: '192.0.2.9',
        requestId: 'req-1',
        before: { state: 'a' },
        after: { state: 'b' },
        detail: { reason: 'because' },
      },
    ]);
  });

  it('loses no row that commits late: what may still come before is waited for', async () => {
    const writer = new pg.Client({ connectionString: db.url, options: '-c role=bongsu_hub' });
    await writer.connect();
    try {
      // A change that has begun first, writes its row in the middle and commits last.
      await writer.query('BEGIN');
      await writer.query(`SELECT set_config('bongsu.principal', 'staff:kim', true)`);
      await record('before');
      await settled(db);
      await writer.query(
        `INSERT INTO audit_log (at, actor, action, subject) VALUES (now(), 'staff:kim', 'test.done', 'late')`,
      );
      await record('after');
      const first = await trail().page(AUDITOR, '', 500, { action: 'test.done' });
      expect(first.entries.map((e) => e.subject)).toEqual(['before']);
      await writer.query('COMMIT');
      expect(await subjects(first.entries.at(-1)!.cursor)).toEqual(['late', 'after']);
    } finally {
      await writer.end();
    }
  });

  it('loses none either where the transaction that began later wrote first', async () => {
    const [early, late] = [0, 1].map(() => new pg.Client({ connectionString: db.url, options: '-c role=bongsu_hub' }));
    const write = (client: pg.Client, subject: string) =>
      client.query(`INSERT INTO audit_log (at, actor, action, subject) VALUES (now(), 'staff:kim', 'order', $1)`, [
        subject,
      ]);
    try {
      for (const client of [early!, late!]) {
        await client.connect();
        await client.query('BEGIN');
        await client.query(`SELECT set_config('bongsu.principal', 'staff:kim', true), pg_current_xact_id()`);
      }
      await write(late!, 'lower id, later transaction');
      await write(early!, 'higher id, earlier transaction');
      await early!.query('COMMIT');
      const seen = await trail().page(AUDITOR, '', 500, { action: 'order' });
      await late!.query('COMMIT');
      const rest = await subjects(seen.entries.at(-1)?.cursor ?? '', 'order');
      expect([...seen.entries.map((e) => e.subject), ...rest]).toEqual([
        'higher id, earlier transaction',
        'lower id, later transaction',
      ]);
    } finally {
      await early!.end();
      await late!.end();
    }
  });

  it('is read in pages, filtered, and that is recorded once a reading', async () => {
    for (let i = 0; i < 5; i++) await record(`page:${i}`, 'pages.turned');
    const filter = { action: 'pages.turned', actor: 'staff:kim', since: new Date(NOW), until: new Date(NOW + 1) };
    const reads = async () => {
      await settled(db);
      return (await trail().page(AUDITOR, '', 500, { action: 'audit.read', subject: 'audit' })).entries.filter((e) =>
        JSON.stringify(e.detail).includes('pages.turned'),
      );
    };
    await settled(db);
    const seen: string[] = [];
    let after = '';
    for (let more = true; more;) {
      const { entries, hasNext } = await trail().page(AUDITOR, after, 2, filter);
      seen.push(...entries.map((e) => e.subject));
      after = entries.at(-1)!.cursor;
      more = hasNext;
    }
    expect(seen).toEqual([0, 1, 2, 3, 4].map((i) => `page:${i}`));
    expect(await reads()).toHaveLength(1);
    // Who begins in the middle, without having read so far, begins a reading of its own.
    await trail().page({ ...AUDITOR, name: 'other' } as Principal, after, 2, filter);
    expect(await reads()).toHaveLength(2);
    for (const none of [{ actor: 'x' }, { subject: 'x' }, { until: new Date(NOW) }, { since: new Date(NOW + 1) }])
      expect((await trail().page(AUDITOR, '', 10, { ...filter, ...none })).entries).toEqual([]);
    await expect(trail().page(AUDITOR, 'x', 10, {})).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('shows its rows to auditors alone, by the database’s own word', async () => {
    for (const who of [
      OPERATOR,
      upbit,
      { kind: 'regulator', name: 'park' } as const,
      { kind: 'gate', name: 'x' } as const,
    ])
      expect(await db.hub.transaction(who, (tx) => tx.query('SELECT 1 FROM audit_log'))).toEqual([]);
    await expect(db.worker.transaction(AUDITOR, (tx) => tx.query('SELECT 1 FROM audit_log'))).rejects.toThrow(
      /permission denied/,
    );
  });

  it('lets no writer choose a row’s place, and not even the owner change a row by a slip', async () => {
    for (const column of ['id', 'xact'])
      await expect(
        db.hub.transaction(OPERATOR, (tx) =>
          tx.query(
            `INSERT INTO audit_log (at, actor, action, subject, ${column}) OVERRIDING SYSTEM VALUE VALUES (now(), 'staff:kim', 'a', 'b', '1')`,
          ),
        ),
      ).rejects.toThrow(/permission denied/);
    for (const slip of [`UPDATE audit_log SET actor = 'x'`, 'DELETE FROM audit_log', 'TRUNCATE audit_log'])
      await expect(db.asOwner(slip)).rejects.toThrow(/neither changed nor removed/);
  });

  describe('of refused attempts', () => {
    const denials = (actor: string) =>
      db.asOwner<{ action: string; subject: string; detail: object }>(
        `SELECT action, subject, detail FROM audit_log WHERE actor = $1 AND action LIKE 'access.%' ORDER BY id`,
        [actor],
      );

    it('tells an attempt at another member’s row, and none at what is nobody’s', async () => {
      await parts.get(SubmitSignals).submit(upbit, submission(1, {}));
      const { id } = await issueRecommendation(db, upbit.memberId, { key: 'a', issuedAt: NOW });
      const outcome = { outcome: 'executed', reason: null, note: null, at: new Date(NOW) } as const;
      const batches = parts.get(Batches);
      const recommendations = parts.get(Recommendations);
      await expect(batches.withdraw(bithumb, batchId(1), 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(recommendations.reportOutcome(bithumb, id, outcome)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await batches.receipt(bithumb, batchId(1))).toBeNull();
      expect(await recommendations.byId(bithumb, id)).toBeNull();
      const told = await denials('member:bithumb');
      expect(told).toEqual([
        {
          action: 'access.not_found',
          subject: `batch:${batchId(1)}`,
          detail: { operation: 'withdrawBatch', why: expect.anything() },
        },
        {
          action: 'access.not_found',
          subject: `recommendation:${id}`,
          detail: { operation: 'reportOutcome', why: expect.anything() },
        },
        {
          action: 'access.not_found',
          subject: `batch:${batchId(1)}`,
          detail: { operation: 'batch', why: expect.anything() },
        },
        {
          action: 'access.not_found',
          subject: `recommendation:${id}`,
          detail: { operation: 'recommendation', why: expect.anything() },
        },
      ]);
      for (const unknown of [batchId(77), 'no uuid']) {
        expect(await batches.receipt(bithumb, unknown)).toBeNull();
        expect(await recommendations.byId(bithumb, unknown)).toBeNull();
      }
      expect(await batches.receipt(upbit, batchId(1))).not.toBeNull();
      expect(await denials('member:bithumb')).toHaveLength(told.length);
      expect(await denials('member:upbit')).toEqual([]);
    });

    it('is bounded for each caller, and says where it stopped', async () => {
      const flooder: Principal = { kind: 'staff', name: 'flood' };
      for (let i = 0; i < 100; i++)
        await parts.get(Refusals).record(flooder, { action: 'access.forbidden', subject: `Query.${i}` });
      const told = await denials('staff:flood');
      expect(told).toHaveLength(31);
      expect(told.at(-1)).toMatchObject({ action: 'access.flood' });
      await parts
        .get(Refusals)
        .record({ ...flooder, name: 'calm' }, { action: 'access.forbidden', subject: 'Query.x' });
      expect(await denials('staff:calm')).toHaveLength(1);
    });
  });

  it('has a row for a withdrawal and an outcome, with the states before and after', async () => {
    const { id } = await issueRecommendation(db, upbit.memberId, { key: 'b', issuedAt: NOW });
    await parts.get(Recommendations).reportOutcome(upbit, id, {
      outcome: 'declined',
      reason: 'other',
      note: 'nothing of this is kept here',
      at: new Date(NOW),
    });
    await parts.get(Batches).withdraw(upbit, batchId(1), 'a mistake');
    const rows = await db.asOwner(
      `SELECT action, subject, before, after, detail FROM audit_log WHERE actor = 'member:upbit' ORDER BY id`,
    );
    expect(rows).toEqual([
      {
        action: 'recommendation.outcome',
        subject: `recommendation:${id}`,
        before: { state: 'issued' },
        after: { state: 'declined' },
        detail: { outcome: 'declined', reason: 'other', at: new Date(NOW).toISOString() },
      },
      {
        action: 'batch.withdrawn',
        subject: `batch:${batchId(1)}`,
        before: { state: 'stored' },
        after: { state: 'withdrawing' },
        detail: { reason: 'a mistake' },
      },
    ]);
  });
});
