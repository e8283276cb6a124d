import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { BongsuError } from '@app/protocol';
import type { HubApi } from './hub-api.js';

/** Which rows of the audit. */
export interface AuditExportFilter {
  actor?: string;
  action?: string;
  subject?: string;
  /** ISO 8601. */
  from?: string;
  until?: string;
}

interface Page {
  auditLog: {
    edges: { cursor: string; node: Record<string, unknown> }[];
    pageInfo: { hasNextPage: boolean };
  };
}

const PAGE = 500;
/** No row of the audit is longer, bytes. */
const LONGEST_LINE = 1024 * 1024;
const QUERY = `query AuditExport($after: String, $first: Int, $filter: AuditFilterInput) {
  auditLog(after: $after, first: $first, filter: $filter) {
    edges { cursor node { at actor action subject from requestId before after detail } } pageInfo { hasNextPage } } }`;

/**
 * Hands over every row after a cursor as a line of JSON, in order, until there is none.
 * @returns how many, and the cursor to go on from
 */
export async function exportAudit(
  api: Pick<HubApi, 'query'>,
  after: string | null,
  filter: AuditExportFilter,
  write: (lines: string) => void,
  progress: (rows: number) => void,
): Promise<{ rows: number; cursor: string | null }> {
  let cursor = after;
  let rows = 0;
  for (;;) {
    const { auditLog } = await api.query<Page>(QUERY, { after: cursor, first: PAGE, filter });
    const { edges, pageInfo } = auditLog;
    write(edges.map(({ cursor: at, node }) => `${JSON.stringify({ cursor: at, ...node })}\n`).join(''));
    rows += edges.length;
    cursor = edges.at(-1)?.cursor ?? cursor;
    progress(rows);
    if (!pageInfo.hasNextPage) return { rows, cursor };
  }
}

/** A file that an export is written to, and goes on in: what was written half when an earlier one broke off is cut away. */
export class ExportFile {
  /** The cursor of its last line; null for an empty or new file. */
  readonly cursor: string | null;
  private readonly file: number;

  /** @throws {BongsuError} BAD_INPUT for a file that holds something else */
  constructor(path: string) {
    this.file = openSync(path, 'a+', 0o600);
    const { size } = fstatSync(this.file);
    const end = Buffer.alloc(Math.min(size, LONGEST_LINE));
    readSync(this.file, end, 0, end.length, size - end.length);
    const whole = end.subarray(0, end.lastIndexOf(0x0a) + 1);
    try {
      this.cursor = cursorOf(whole.toString(), path);
    } catch (error) {
      closeSync(this.file);
      throw error;
    }
    ftruncateSync(this.file, size - end.length + whole.length);
  }

  write(lines: string): void {
    writeSync(this.file, lines);
  }

  close(): void {
    closeSync(this.file);
  }
}

function cursorOf(whole: string, path: string): string | null {
  const last = whole.trimEnd().split('\n').at(-1);
  if (!last) return null;
  try {
    const { cursor } = JSON.parse(last) as { cursor?: unknown };
    if (typeof cursor === 'string') return cursor;
  } catch {
    // Told below, as what has no cursor is.
  }
  throw new BongsuError(
    'BAD_INPUT',
    `${path} holds something else than an export of the audit; name another file.`,
    '--out',
  );
}
