import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { appendJsonLine, mendJsonLines, readJsonLines } from './json-lines.js';
import type { Charge, UsageLine } from './usage-journal.js';

/** How much more than its own use of the days on record a member may have evaluated under an announced key. */
export const REENROLMENT_FACTOR = 1.25;

/**
 * Elements evaluated per member under a key that is only announced (`reenrol-N.jsonl`): counted apart from the day's
 * quota, against what the member has had evaluated under the keys before. Whoever has blinded few values has few to
 * blind again, so the second count opens no door.
 */
export class ReenrolJournal {
  private readonly counts = new Map<number, Map<string, number>>();
  private own: Map<string, number> | undefined;

  constructor(private readonly dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  /** Elements that a member may have evaluated under an announced key in all. @param dailyQuota its own: the least */
  allowance(member: string, dailyQuota: number): number {
    this.own ??= this.readOwn();
    return Math.max(dailyQuota, Math.ceil((this.own.get(member) ?? 0) * REENROLMENT_FACTOR));
  }

  /** As {@link UsageJournal.charge}. */
  charge(epoch: number, line: UsageLine, limit: number): Charge {
    const counts = this.countsOf(epoch);
    const before = counts.get(line.member) ?? 0;
    if (before + line.elements > limit) return { taken: false, used: before };
    appendJsonLine(this.file(epoch), line);
    counts.set(line.member, before + line.elements);
    return { taken: true, used: before + line.elements };
  }

  giveBack(epoch: number, line: UsageLine): void {
    this.charge(epoch, { ...line, elements: -line.elements }, Infinity);
  }

  private countsOf(epoch: number): Map<string, number> {
    let counts = this.counts.get(epoch);
    if (counts === undefined) {
      counts = sum([this.file(epoch)]);
      mendJsonLines(this.file(epoch));
      this.counts.set(epoch, counts);
    }
    return counts;
  }

  /** What members have used on the days on record, once: what they use meanwhile is blinded anew as it comes. */
  private readOwn(): Map<string, number> {
    const files = readdirSync(this.dir).filter((name) => /^usage-.*\.jsonl$/.test(name));
    return sum(files.map((name) => join(this.dir, name)));
  }

  private file(epoch: number): string {
    return join(this.dir, `reenrol-${epoch}.jsonl`);
  }
}

function sum(files: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of files)
    for (const { member, elements } of readJsonLines(file))
      if (typeof member === 'string' && typeof elements === 'number')
        counts.set(member, (counts.get(member) ?? 0) + elements);
  return counts;
}
