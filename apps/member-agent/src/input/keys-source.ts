import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { KeysState } from '../state/agent-state.js';
import type { PartFiles } from '../state/part-files.js';
import { parseKeyLine } from './key-line.js';
import { LineRefused, type LineReason, type RawRow, type Refusal } from './rows.js';
import type { ReadOptions, Source, SourceProgress, Turn } from './source.js';

/**
 * Reads a `keys.jsonl` whole whenever it has changed, and gives out the keys whose line is new or not as it was last
 * sent. Where a key has several lines the last stands.
 */
export class KeysSource implements Source {
  readonly id: string;
  private sentChanged = false;
  private noted: string | null = null;

  private constructor(
    readonly path: string,
    private state: KeysState,
    /** Access key → digest of its line as it was last given out. */
    private readonly sent: Map<string, string>,
  ) {
    this.id = `keys ${path}`;
  }

  static async open(path: string, state: KeysState | undefined, parts: PartFiles): Promise<KeysSource> {
    const sent = state?.sent ? await parts.read<Record<string, string>>(state.sent) : {};
    const fresh: KeysState = { kind: 'keys', stamp: null, sent: null, lines: 0, counted: 0, refused: {} };
    return new KeysSource(path, structuredClone(state) ?? fresh, new Map(Object.entries(sent)));
  }

  async read(options: ReadOptions): Promise<Turn | null> {
    const stamp = await stampOf(this.path);
    if (stamp === null || stamp === this.state.stamp) return null;
    const text = await readFile(this.path, 'utf8');
    const lines = text.split('\n');
    const unfinished = lines.pop()!;
    // A last line without its end may still be being written: it is read when it has one, or nothing more comes.
    if (unfinished !== '' && (options.atEnd || isWhole(unfinished))) lines.push(unfinished);

    const refusals: Refusal[] = [];
    const refused: Record<string, number> = {};
    const changed = new Map<string, { row: RawRow; digest: string }>();
    let counted = 0;
    lines.forEach((line, i) => {
      const refuse = (reason: LineReason) => {
        refusals.push({ line: i + 1, reason });
        refused[reason] = (refused[reason] ?? 0) + 1;
      };
      try {
        const row = parseKeyLine(line.endsWith('\r') ? line.slice(0, -1) : line);
        const digest = createHash('sha256').update(line).digest('base64url').slice(0, 22);
        if (this.sent.get(row.key) === digest) {
          changed.delete(row.key);
          counted++;
          return;
        }
        const reason = options.check(row);
        if (reason !== null)
          return refuse(row.allowed.length > 0 && reason === 'IP_MALFORMED' ? 'ALLOWED_IPS_MALFORMED' : reason);
        counted++;
        changed.delete(row.key);
        changed.set(row.key, { row, digest });
      } catch (error) {
        if (!(error instanceof LineRefused)) throw error;
        refuse(error.reason);
      }
    });
    for (const [key, { digest }] of changed) this.sent.set(key, digest);
    this.sentChanged ||= changed.size > 0;
    this.state = { ...this.state, stamp, lines: lines.length, counted, refused };
    const notes =
      this.noted === stamp || refusals.length === 0 ? [] : [`${this.path}: ${refusals.length} keys refused`];
    this.noted = stamp;
    return { rows: [...changed.values()].map((c) => c.row), refusals, notes, more: false };
  }

  async prepare(parts: PartFiles): Promise<KeysState> {
    if (this.sentChanged) {
      this.state.sent = await parts.write(Object.fromEntries(this.sent));
      this.sentChanged = false;
    }
    return structuredClone(this.state);
  }

  async progress(): Promise<SourceProgress> {
    const stamp = await stampOf(this.path);
    const size = stamp === null ? 0 : Number(stamp.split(':')[0]);
    const caughtUp = stamp === null || stamp === this.state.stamp;
    return { bytesRead: caughtUp ? size : 0, size, pendingHours: null, caughtUp };
  }

  async close(): Promise<void> {}
}

async function stampOf(path: string): Promise<string | null> {
  const info = await stat(path, { bigint: true }).catch(() => null);
  return info === null ? null : `${info.size}:${info.ino}:${info.mtimeNs}:${info.ctimeNs}`;
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
