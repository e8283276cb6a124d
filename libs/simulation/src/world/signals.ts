import { POPULATION_MEMBERS } from '@app/protocol';
import { AddressBook } from './addresses.js';
import { Random } from './random.js';
import { ALL_SLOTS, busyness, DAY_HOURS, seoulHour, SLOTS } from './time.js';

const DAY_SECONDS = 86_400;

/** One burst time and how strongly it calls, 0 to 1. */
export interface Signal {
  second: number;
  strength: number;
}

/**
 * The times at which things happen to many at once: bursts of shared strategies, market-wide events, outages. Any day
 * can be asked for in any order and gives the same answer.
 */
export class Signals {
  private readonly rates: number[] = [];
  private day = -1;
  private readonly today = new Map<number, Signal[]>();
  private readonly outages: { from: number; to: number }[][] = [];

  constructor(
    private readonly seed: string,
    private readonly days: number,
    private readonly marketEvents: number,
  ) {
    const random = new Random(seed, 'outages');
    for (let provider = 0; provider < AddressBook.providerCount; provider++) this.outageGroup(random, 45, 2);
  }

  /** A new series of bursts, so many a day. */
  stream(perDay: number): number {
    return this.rates.push(perDay) - 1;
  }

  /** A group that falls silent together: an outage every `everyDays` days on average, of `hours` median length. */
  outageGroup(random: Random, everyDays: number, hours: number): number {
    const list: { from: number; to: number }[] = [];
    for (let at = random.exponential(everyDays); at < this.days; at += random.exponential(everyDays)) {
      const from = at * DAY_HOURS;
      list.push({ from, to: from + random.lognormal(hours, 0.8) });
    }
    return this.outages.push(list) - 1;
  }

  /** Bursts of a stream on a day, in seconds of the day. */
  bursts(stream: number, day: number): readonly Signal[] {
    return this.ofDay(stream, day, () => {
      const random = new Random(this.seed, 'stream', stream, day);
      // Days differ: quiet ones and wild ones.
      const count = random.poisson((this.rates[stream] as number) * random.lognormal(1, 0.35));
      return Array.from({ length: count }, () => ({ second: busySecond(random), strength: 1 }));
    });
  }

  /** Market-wide events of a day: windows in which unrelated bots trade. */
  market(day: number): readonly Signal[] {
    return this.ofDay(-1, day, () => {
      const random = new Random(this.seed, 'market', day);
      const count = random.poisson(this.marketEvents * random.lognormal(1, 0.5));
      return Array.from({ length: count }, () => ({ second: busySecond(random), strength: random.between(0.05, 0.9) }));
    });
  }

  /** Windows of an hour in which a group is down, as a mask. */
  down(group: number, hour: number): number {
    let mask = 0;
    for (const { from, to } of this.outages[group] as { from: number; to: number }[])
      if (from < hour + 1 && to > hour) mask |= windowsBetween(hour, from, to);
    return mask;
  }

  /** Windows of an hour in which an exchange is closed for maintenance: every other week, before dawn in Seoul. */
  maintenance(member: number, hour: number): number {
    const day = Math.floor(hour / DAY_HOURS);
    if ((day + member * 3) % 14 !== 5 || member >= POPULATION_MEMBERS.length) return 0;
    const start = day * DAY_HOURS + 17 + (member % 3);
    return windowsBetween(hour, start, start + 1.5);
  }

  private ofDay(stream: number, day: number, make: () => Signal[]): readonly Signal[] {
    if (day !== this.day) {
      this.today.clear();
      this.day = day;
    }
    let found = this.today.get(stream);
    if (!found) {
      found = make();
      this.today.set(stream, found);
    }
    return found;
  }
}

/** A second of the day (UTC), more often when markets are busy. */
export function busySecond(random: Random): number {
  for (;;) {
    const second = random.next() * DAY_SECONDS;
    if (random.next() * 1.8 < busyness(seoulHour(second / 3600))) return second;
  }
}

/** The windows of `hour` that a stretch touches, as a mask. */
function windowsBetween(hour: number, from: number, to: number): number {
  const first = Math.max(0, Math.floor((from - hour) * SLOTS));
  const last = Math.min(SLOTS, Math.ceil((to - hour) * SLOTS));
  if (last <= first) return 0;
  return ((1 << last) - (1 << first)) & ALL_SLOTS;
}
