import { BongsuError } from '@app/member-sdk';
import type { GatewayState } from '../state/agent-state.js';
import type { PartFiles } from '../state/part-files.js';
import { GatewayHours, type SavedHistory, type SavedHour } from './gateway-hours.js';
import { parseGatewayLine } from './gateway-line.js';
import type { GatewayMapping } from './gateway-mapping.js';
import { LineFile, type LineReader } from './line-file.js';
import { LineRefused, type LineReason, type RawRow, type Refusal } from './rows.js';
import type { ReadOptions, Source, SourceProgress, Turn } from './source.js';
import { StdinLines } from './stdin-lines.js';

/** Follows an API gateway's log and sums it into hours. */
export class GatewaySource implements Source {
  readonly id: string;
  private readonly lines: LineReader;

  private constructor(
    readonly path: string,
    private readonly mapping: GatewayMapping,
    private state: GatewayState,
    private readonly hours: GatewayHours,
  ) {
    this.id = `gateway ${path}`;
    this.lines = path === '-' ? new StdinLines(process.stdin) : new LineFile(path, state.position);
  }

  static async open(
    path: string,
    mapping: GatewayMapping,
    known: GatewayState | undefined,
    parts: PartFiles,
  ): Promise<GatewaySource> {
    const state: GatewayState = structuredClone(known) ?? {
      kind: 'gateway', position: null, lines: 0, counted: 0, refused: {}, hours: {}, history: null, dropped: null, latest: null,
    }; // prettier-ignore
    const hours = new GatewayHours();
    for (const [hour, file] of Object.entries(state.hours))
      hours.restoreHour(Number(hour), await parts.read<SavedHour>(file));
    if (state.history !== null) hours.restoreHistory(await parts.read<SavedHistory>(state.history));
    hours.dropped = state.dropped;
    hours.latest = state.latest;
    return new GatewaySource(path, mapping, state, hours);
  }

  async read(options: ReadOptions): Promise<Turn | null> {
    const lines = await this.lines.read(options.maxBytes, options.atEnd);
    const rows: RawRow[] = [];
    const refusals: Refusal[] = [];
    if (lines !== null) {
      const tooLong = new Set(lines.tooLong);
      lines.texts.forEach((text, i) => {
        const line = lines.first + i;
        try {
          if (tooLong.has(line)) throw new LineRefused('LINE_TOO_LONG');
          rows.push(...this.count(text, options.now));
        } catch (error) {
          if (!(error instanceof LineRefused)) throw error;
          refusals.push({ line, reason: error.reason });
          this.refuse(error.reason);
        }
      });
      this.state.lines += lines.texts.length;
      this.state.counted += lines.texts.length - refusals.length;
      this.state.position = lines.position;
      this.state.lostFiles = (this.state.lostFiles ?? 0) + lines.lostFiles;
    } else {
      // Only at the end of what there is does the clock say that an hour is over: before, the log is behind it.
      rows.push(...this.hours.take(this.until(options)));
      if (rows.length === 0) return null;
    }
    for (const row of rows) {
      const reason = options.check(row);
      // The parser has seen every value; a row that cannot be blinded here is a fault of this program.
      if (reason !== null) throw new BongsuError('INTERNAL', `A row of ${this.path} cannot be blinded: ${reason}.`);
    }
    return { rows, refusals, notes: lines?.notes ?? [], more: lines !== null, begun: lines?.begun ?? false };
  }

  async prepare(parts: PartFiles): Promise<GatewayState> {
    const { kept, dirty, history } = this.hours.save();
    for (const [hour, content] of dirty) {
      this.state.hours[hour] = await parts.write(content);
      this.hours.saved(hour);
    }
    const keep = new Set(kept.map(String));
    for (const hour of Object.keys(this.state.hours)) if (!keep.has(hour)) delete this.state.hours[hour];
    if (history !== null) {
      this.state.history = await parts.write(history);
      this.hours.saved('history');
    }
    this.state.dropped = this.hours.dropped;
    this.state.latest = this.hours.latest;
    return structuredClone(this.state);
  }

  async progress(now: number): Promise<SourceProgress> {
    const { read, size } = await this.lines.unread();
    const ready = this.hours.ready(this.until({ now, atEnd: false }));
    return { bytesRead: read, size, pendingHours: this.hours.open, caughtUp: read >= size && !ready };
  }

  async close(): Promise<void> {
    await this.lines.close();
  }

  /** Counts a line; answers the rows of hours that it shows to be complete. */
  private count(text: string, now: number): RawRow[] {
    const request = parseGatewayLine(text, this.mapping, now);
    let rows: RawRow[] = [];
    if (this.hours.completesHour(request.time, this.mapping.graceMs)) {
      rows = this.hours.take(request.time - this.mapping.graceMs);
      this.hours.dropOld(now);
    }
    if (!this.hours.add(request)) throw new LineRefused('HOUR_CLOSED');
    return rows;
  }

  /** Hours that ended before this are complete. */
  private until({ now, atEnd }: { now: number; atEnd: boolean }): number {
    return atEnd ? Infinity : now - this.mapping.graceMs;
  }

  private refuse(reason: LineReason): void {
    this.state.refused[reason] = (this.state.refused[reason] ?? 0) + 1;
  }
}
