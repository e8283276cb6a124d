import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportAudit, ExportFile } from './audit-export.js';

/** A hub with so many rows, which answers in pages of at most three and breaks off after some pages. */
function hubOf(rows: number, pages = Infinity) {
  let asked = 0;
  return {
    query: async <T>(_query: string, { after }: Record<string, unknown> = {}): Promise<T> => {
      if (asked++ >= pages) throw new Error('the line broke');
      const from = after === null ? 0 : Number(after);
      const edges = Array.from({ length: Math.min(3, rows - from) }, (_, i) => ({
        cursor: String(from + i + 1),
        node: { subject: `row ${from + i + 1}` },
      }));
      return { auditLog: { edges, pageInfo: { hasNextPage: from + edges.length < rows } } } as T;
    },
  };
}

describe('an export of the audit', () => {
  let folder: string;
  const file = () => join(folder, 'audit.jsonl');
  const lines = () =>
    readFileSync(file(), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { subject: string }).subject);
  const run = async (hub: ReturnType<typeof hubOf>) => {
    const out = new ExportFile(file());
    try {
      return await exportAudit(
        hub,
        out.cursor,
        {},
        (text) => out.write(text),
        () => undefined,
      );
    } finally {
      out.close();
    }
  };
  const rowsTo = (n: number) => Array.from({ length: n }, (_, i) => `row ${i + 1}`);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bongsu-export-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('holds every row once, in order, and goes on where it ended', async () => {
    expect(await run(hubOf(7))).toEqual({ rows: 7, cursor: '7' });
    expect(lines()).toEqual(rowsTo(7));
    expect(await run(hubOf(9))).toEqual({ rows: 2, cursor: '9' });
    expect(await run(hubOf(9))).toEqual({ rows: 0, cursor: '9' });
    expect(lines()).toEqual(rowsTo(9));
  });

  it('goes on after it broke off, in the middle of a line too', async () => {
    await expect(run(hubOf(8, 2))).rejects.toThrow('the line broke');
    expect(lines()).toEqual(rowsTo(6));
    appendFileSync(file(), '{"cursor":"7","sub');
    await run(hubOf(8));
    expect(lines()).toEqual(rowsTo(8));
  });

  it('writes to no file that holds something else', () => {
    writeFileSync(file(), 'my notes\n');
    expect(() => new ExportFile(file())).toThrow(expect.objectContaining({ code: 'BAD_INPUT', where: '--out' }));
    expect(readFileSync(file(), 'utf8')).toBe('my notes\n');
  });
});
