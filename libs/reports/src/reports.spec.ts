import { FakeClock } from '@app/infrastructure/clock';
import type { Principal } from '@app/infrastructure/database';
import { SigningKeys } from '@app/keys';
import { RUNGS } from '@app/protocol';
import { verifyCompact } from '../../../test/support/event-receiver.js';
import { addMember, partsOf, type Member } from '../../../test/support/parts.js';
import { issueRecommendation } from '../../../test/support/recommendations.js';
import { clearSignals } from '../../../test/support/standing-rows.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { Reports } from './reports.service.js';

const INSPECTOR: Principal = { kind: 'regulator', name: 'park' };
/** Noon of a day of June 2026, in Seoul. */
const juneAt = (day: number) => Date.parse('2026-06-01T03:00:00Z') + (day - 1) * 86_400_000;
const END_OF_JUNE = Date.parse('2026-06-30T15:00:00Z');

describe('reports', () => {
  let db: TestDatabase;
  let hub: Reports;
  let worker: Reports;
  let keys: SigningKeys;
  let members: Record<string, Member>;
  let close: () => Promise<void>;
  const clock = new FakeClock(juneAt(20));

  beforeAll(async () => {
    db = await createTestDatabase();
    members = { upbit: await addMember(db, 'upbit'), bithumb: await addMember(db, 'bithumb') };
    const hubParts = await partsOf(db, 'hub', clock);
    const workerParts = await partsOf(db, 'worker', clock);
    hub = hubParts.get(Reports);
    worker = workerParts.get(Reports);
    keys = workerParts.get(SigningKeys);
    close = async () => {
      await hubParts.close();
      await workerParts.close();
    };
  });
  beforeEach(() => clearSignals(db));
  afterAll(async () => {
    await close?.();
    await db?.close();
  });

  /** Issues recommendations to each member and rung; `executed` of them were carried out. */
  const issue = async (
    member: string,
    rung: (typeof RUNGS)[number],
    count: number,
    executed = 0,
    issuedAt = juneAt(10),
  ) => {
    for (let i = 0; i < count; i++) {
      const { id } = await issueRecommendation(db, members[member]!.memberId, { key: `${rung}${i}`, rung, issuedAt });
      if (i < executed)
        await db.asOwner(
          'UPDATE recommendations SET delivered_at = $2, acknowledged_at = $2, executed_at = $2 WHERE id = $1',
          [id, new Date(issuedAt)],
        );
    }
  };

  it('counts what was issued and what became of it, by exchange and rung', async () => {
    await issue('upbit', 'warn', 8, 6);
    await issue('bithumb', 'warn', 10, 7);
    const { report } = await hub.report(INSPECTOR, '2026-06');
    expect(report).toMatchObject({
      period: '2026-06',
      closed: false,
      standardVersion: '1.0.0',
      suppressBelow: 5,
      suppressed: 0,
    });
    expect(report.issued).toMatchObject({
      rows: ['bithumb', 'upbit'],
      columns: [...RUNGS],
      cells: [
        [0, 10, 0, 0],
        [0, 8, 0, 0],
      ],
      rowTotals: [10, 8],
      columnTotals: [0, 18, 0, 0],
      total: 18,
    });
    const executed = report.stages.find((s) => s.stage === 'executed')!;
    expect(executed.table.cells).toEqual([
      [0, 7, 0, 0],
      [0, 6, 0, 0],
    ]);
    expect(report.stages.map((s) => s.stage)).toEqual(['delivered', 'acknowledged', 'executed', 'declined']);
    expect(report.cells).toBe(5 * 3 * 5);
  });

  it('shows no count from one to four, nor lets one follow from the totals', async () => {
    await issue('upbit', 'warn', 3);
    await issue('upbit', 'expire', 9);
    await issue('bithumb', 'warn', 12);
    await issue('bithumb', 'expire', 7);
    const { issued, suppressed } = (await hub.report(INSPECTOR, '2026-06')).report;
    expect(issued.cells[1]![1]).toBeNull();
    const shown = [...issued.cells.flat(), ...issued.rowTotals, ...issued.columnTotals, issued.total];
    for (const count of shown) expect(count === null || count === 0 || count >= 5).toBe(true);
    const lines = [...issued.cells.map((row, r) => [...row, issued.rowTotals[r]!])];
    for (let c = 0; c < RUNGS.length; c++) lines.push([...issued.cells.map((row) => row[c]!), issued.columnTotals[c]!]);
    for (const line of lines) expect(line.filter((count) => count === null)).not.toHaveLength(1);
    expect(suppressed).toBeGreaterThanOrEqual(4);
  });

  it('takes months as Seoul has them', async () => {
    await issue('upbit', 'warn', 5, 0, END_OF_JUNE - 1);
    await issue('bithumb', 'warn', 6, 0, END_OF_JUNE);
    expect((await hub.report(INSPECTOR, '2026-06')).report.issued.total).toBe(5);
    expect((await hub.report(INSPECTOR, '2026-07')).report.issued.total).toBe(6);
    await expect(hub.report(INSPECTOR, '2026-13')).rejects.toMatchObject({ code: 'BAD_INPUT', where: 'period' });
  });

  it('sees counts alone: rows stay hidden from a regulator, and counts from a member', async () => {
    await issue('upbit', 'warn', 6);
    expect(await db.hub.transaction(INSPECTOR, (tx) => tx.query('SELECT 1 FROM recommendations'))).toEqual([]);
    const counts = `SELECT * FROM report_counts('2026-06-01', '2026-07-01')`;
    expect(await db.hub.transaction(INSPECTOR, (tx) => tx.query(counts))).toHaveLength(1);
    expect(await db.hub.transaction(members['upbit']!, (tx) => tx.query(counts))).toEqual([]);
    const nobody = { kind: '', name: '' } as unknown as Principal;
    expect(await db.hub.transaction(nobody, (tx) => tx.query(counts))).toEqual([]);
  });

  it('closes a month a day after its end, once, for good, and signed', async () => {
    await issue('upbit', 'warn', 6);
    clock.at = END_OF_JUNE + 23 * 3_600_000;
    expect(await worker.closeDue()).toEqual([]);
    expect(await hub.periods(INSPECTOR)).toEqual([]);
    clock.at = END_OF_JUNE + 25 * 3_600_000;
    // Twice at once, as a doubled job would.
    await Promise.all([worker.closeDue(), worker.closeDue()]);
    expect(await hub.periods(INSPECTOR)).toEqual(['2026-06']);
    expect(await worker.closeDue()).toEqual([]);
    const closed = await hub.report(INSPECTOR, '2026-06');
    expect(closed.report).toMatchObject({ closed: true, issued: { total: 6 } });
    // What comes to light later does not change what was published.
    await issue('upbit', 'reverify', 5);
    expect(await hub.report(INSPECTOR, '2026-06')).toEqual(closed);
    const published = (await keys.jwks()).keys as Record<string, unknown>[];
    const { header, claims } = verifyCompact(closed.signature, published);
    expect(header['typ']).toBe('bongsu-report+jwt');
    expect(claims).toEqual(closed.report);
    const [head, body, signature] = closed.signature.split('.');
    const altered = { ...closed.report, issued: { ...closed.report.issued, total: 5 } };
    const forged = Buffer.from(JSON.stringify(altered)).toString('base64url');
    expect(body).not.toBe(forged);
    expect(() => verifyCompact(`${head}.${forged}.${signature}`, published)).toThrow('does not fit');
  });

  it('cannot be changed by any process once closed', async () => {
    await db.asOwner(`INSERT INTO reports VALUES ('2026-05', '{}', 's', now())`);
    const job: Principal = { kind: 'job', name: 'report' };
    for (const sql of [`UPDATE reports SET signature = 'x'`, 'DELETE FROM reports'])
      for (const database of [db.hub, db.worker])
        await expect(database.transaction(job, (tx) => tx.query(sql))).rejects.toThrow(/permission denied/);
  });
});
