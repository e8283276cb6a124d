import { readFileSync } from 'node:fs';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

/** The migrations' own ledger: names of migrations and when they ran. */
const LEDGER = 'migrations';

/** Table → the columns that a document's register names. */
function registerOf(file: string): Map<string, Set<string>> {
  const text = readFileSync(file, 'utf8');
  const [, register] = /<!-- register -->([\s\S]*)<!-- \/register -->/.exec(text) ?? [];
  const rows = (register ?? '').split('\n').filter((line) => /^\| `/.test(line));
  return new Map(
    rows.map((row) => {
      const [, table, columns] = row.split('|');
      const names = (cell: string | undefined) => [...(cell ?? '').matchAll(/`([a-z_]+)`/g)].map((match) => match[1]!);
      return [names(table)[0]!, new Set(names(columns))];
    }),
  );
}

describe.each(['docs/data-protection.md', 'docs/data-protection.ko.md'])('the register in %s', (file) => {
  let db: TestDatabase;
  let columns: { table: string; column: string }[];

  beforeAll(async () => {
    db = await createTestDatabase();
    columns = await db.asOwner(
      `SELECT c.relname AS table, a.attname AS column FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> $1 ORDER BY 1, a.attnum`,
      [LEDGER],
    );
  });
  afterAll(() => db?.close());

  it('names every column of every table, and none that is not there', () => {
    const register = registerOf(file);
    const inDatabase = columns.map(({ table, column }) => `${table}.${column}`);
    const inDocument = [...register].flatMap(([table, names]) => [...names].map((column) => `${table}.${column}`));
    expect(inDocument.sort()).toEqual(inDatabase.sort());
  });

  it('says of every table why, how long and who', () => {
    const text = readFileSync(file, 'utf8');
    for (const table of registerOf(file).keys()) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${table}\``))!;
      const cells = row.split('|').slice(1, -1);
      expect([table, cells.filter((cell) => cell.trim().length > 1).length]).toEqual([table, 5]);
    }
  });
});
