import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { appendJsonLine, mendJsonLines, readJsonLines } from './json-lines.js';

/** What a day's file has for one evaluation: also what tells a token used before a restart. */
export interface UsageLine {
  readonly member: string;
  readonly elements: number;
  readonly jti: string;
  readonly expiresAt: number;
}

/** The answer to a charge: taken, or refused with what was used before. */
export interface Charge {
  readonly taken: boolean;
  /** Elements of the member's day, this charge included where it was taken. */
  readonly used: number;
}

const DAY_MS = 86_400_000;

/**
 * Elements evaluated per member and UTC day, and the tokens seen, in one file a day (`usage-YYYY-MM-DD.jsonl`) so that
 * both survive a restart.
 */
export class UsageJournal {
  private readonly days = new Map<string, Map<string, number>>();
  private readonly seen = new Map<string, number>();
  private nextSweep = 0;
  private week: { day: string; sums: ReadonlyMap<string, number> } | undefined;

  /** @param now milliseconds since the epoch; today's and yesterday's files are read for tokens still alive */
  constructor(
    private readonly dir: string,
    now: number,
  ) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.countsOf(dayOf(now - DAY_MS));
    this.countsOf(dayOf(now));
  }

  /** Marks a token as used. False when it was before. */
  takeToken(caller: string, jti: string, expiresAt: number, now: number): boolean {
    if (now >= this.nextSweep) {
      for (const [id, end] of this.seen) if (end < now) this.seen.delete(id);
      this.nextSweep = now + 60_000;
    }
    const id = tokenId(caller, jti);
    if (this.seen.has(id)) return false;
    this.seen.set(id, expiresAt);
    return true;
  }

  /**
   * Counts elements against the member's day, unless they would exceed it: all or none.
   * @param limit elements a day
   * @throws {Error} of the file system, when the count could not be kept: then nothing counts
   */
  charge(line: UsageLine, limit: number, now: number): Charge {
    const counts = this.countsOf(dayOf(now));
    const before = counts.get(line.member) ?? 0;
    if (before + line.elements > limit) return { taken: false, used: before };
    appendJsonLine(this.file(dayOf(now)), line);
    counts.set(line.member, before + line.elements);
    return { taken: true, used: before + line.elements };
  }

  /** Takes a charge back: the blinder itself failed, and the member got nothing. `now` is the charge's. */
  giveBack(line: UsageLine, now: number): void {
    this.charge({ ...line, elements: -line.elements }, Infinity, now);
  }

  /** Elements of every member's day so far. */
  usedOn(now: number): ReadonlyMap<string, number> {
    return this.countsOf(dayOf(now));
  }

  /** A member's elements a day, on average of the seven days before. */
  dailyBefore(member: string, now: number): number {
    const today = dayOf(now);
    if (this.week?.day !== today) {
      const sums = new Map<string, number>();
      for (let back = 1; back <= 7; back++)
        for (const [name, elements] of sumOf(this.file(dayOf(now - back * DAY_MS))))
          sums.set(name, (sums.get(name) ?? 0) + elements);
      this.week = { day: today, sums };
    }
    return (this.week.sums.get(member) ?? 0) / 7;
  }

  private countsOf(day: string): Map<string, number> {
    let counts = this.days.get(day);
    if (counts === undefined) {
      counts = new Map();
      const path = this.file(day);
      for (const { member, elements, jti, expiresAt } of readJsonLines(path)) {
        if (typeof member !== 'string' || typeof elements !== 'number') continue;
        counts.set(member, (counts.get(member) ?? 0) + elements);
        if (typeof jti === 'string' && typeof expiresAt === 'number') this.seen.set(tokenId(member, jti), expiresAt);
      }
      if (existsSync(path)) mendJsonLines(path);
      for (const old of [...this.days.keys()].slice(0, -1)) this.days.delete(old);
      this.days.set(day, counts);
    }
    return counts;
  }

  private file(day: string): string {
    return join(this.dir, `usage-${day}.jsonl`);
  }
}

function sumOf(path: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { member, elements } of readJsonLines(path))
    if (typeof member === 'string' && typeof elements === 'number')
      sums.set(member, (sums.get(member) ?? 0) + elements);
  return sums;
}

/** Seconds from `now` (milliseconds) to the next UTC day: when a quota is whole again. */
export function secondsToNextDay(now: number): number {
  return Math.ceil((DAY_MS - (now % DAY_MS)) / 1000);
}

function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

function tokenId(caller: string, jti: string): string {
  return `${caller}\0${jti}`;
}
