import type { UsageState } from '../state/agent-state.js';
import { LineFile } from './line-file.js';
import { LineRefused, type LineReason, type RawRow, type Refusal } from './rows.js';
import type { ReadOptions, Source, SourceProgress, Turn } from './source.js';
import { UsageLineParser } from './usage-line.js';

/** Follows a `usage.jsonl`: hours that the exchange aggregated itself. */
export class UsageSource implements Source {
  readonly id: string;
  private readonly file: LineFile;
  private readonly parser = new UsageLineParser();
  private state: UsageState;

  constructor(
    readonly path: string,
    state: UsageState | undefined,
  ) {
    this.id = `usage ${path}`;
    this.state = structuredClone(state) ?? { kind: 'usage', position: null, lines: 0, counted: 0, refused: {} };
    this.file = new LineFile(path, this.state.position);
  }

  async read(options: ReadOptions): Promise<Turn | null> {
    const lines = await this.file.read(options.maxBytes, options.atEnd);
    if (lines === null) return null;
    const rows: RawRow[] = [];
    const refusals: Refusal[] = [];
    const refuse = (line: number, reason: LineReason) => {
      refusals.push({ line, reason });
      this.state.refused[reason] = (this.state.refused[reason] ?? 0) + 1;
    };
    const tooLong = new Set(lines.tooLong);
    lines.texts.forEach((text, i) => {
      const line = lines.first + i;
      if (tooLong.has(line)) return refuse(line, 'LINE_TOO_LONG');
      try {
        const row = this.parser.parse(text);
        const reason = options.check(row);
        if (reason === null) rows.push(row);
        else refuse(line, reason);
      } catch (error) {
        if (!(error instanceof LineRefused)) throw error;
        refuse(line, error.reason);
      }
    });
    this.state.lines += lines.texts.length;
    this.state.counted += rows.length;
    this.state.position = lines.position;
    this.state.lostFiles = (this.state.lostFiles ?? 0) + lines.lostFiles;
    return { rows, refusals, notes: lines.notes, more: true, begun: lines.begun };
  }

  async prepare(): Promise<UsageState> {
    return structuredClone(this.state);
  }

  async progress(): Promise<SourceProgress> {
    const { read, size } = await this.file.unread();
    return { bytesRead: read, size, pendingHours: null, caughtUp: read >= size };
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
