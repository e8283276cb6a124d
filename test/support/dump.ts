import type { TestDatabase } from './test-database.js';

/** Every row of every table as text, `bytea` in hex, each beginning with its table's name. */
export async function dump(db: TestDatabase): Promise<string[]> {
  const tables = await db.asOwner<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  const rows: string[] = [];
  for (const { name } of tables)
    for (const { row } of await db.asOwner<{ row: string }>(`SELECT t::text AS row FROM ${name} t`))
      rows.push(`${name} ${row}`);
  return rows;
}

/** The tables in whose rows a token stands, in hex or base64url. */
export async function tablesWith(db: TestDatabase, token: Uint8Array): Promise<string[]> {
  const bytes = Buffer.from(token);
  const forms = [bytes.toString('hex'), bytes.toString('base64url'), bytes.toString('base64')];
  const found = (await dump(db)).filter((row) => forms.some((form) => row.includes(form)));
  return [...new Set(found.map((row) => row.slice(0, row.indexOf(' '))))];
}
