import { HOUR_MS, MAX_HOURLY_COUNT, type Network } from '@app/member-sdk';
import { addWindows, burstSlots, median, MEDIAN_DAYS, SLOTS, type Histogram, type KeyWindows } from './activity.js';
import type { GatewayRequest } from './gateway-line.js';
import type { RawObservation } from './rows.js';

const SLOT_MS = HOUR_MS / SLOTS;
/** Hours whose sums are kept after the latest one in the log: lines that late still count. */
export const KEPT_HOURS = 12;

/** The sums of one key, IP and client in one hour. */
interface Sums {
  key: string;
  ip: string;
  client: string;
  network: Network;
  requests: number;
  orders: number;
  rejected: number;
  active: number;
  /** Orders per window. */
  slots: number[];
  /** Changed since it was given out, or never given out. */
  changed: boolean;
  /** Burst windows as given out. */
  burst: number;
}

/** One hour being summed. */
class HourBook {
  readonly sums = new Map<string, Sums>();
  /** Given out at least once. */
  given = false;
  /** Differs from its file. */
  dirty = true;
  /** Some sums differ from what was given out. */
  changed = true;
  private windows: Map<string, KeyWindows> | null = null;

  add(request: GatewayRequest): void {
    const id = `${request.key}\0${request.ip}\0${request.client}`;
    let sums = this.sums.get(id);
    if (sums === undefined) {
      const { key, ip, client, network } = request;
      const slots = new Array<number>(SLOTS).fill(0);
      sums = {
        key,
        ip,
        client,
        network,
        requests: 0,
        orders: 0,
        rejected: 0,
        active: 0,
        slots,
        changed: true,
        burst: 0,
      };
      this.sums.set(id, sums);
    }
    const slot = Math.floor((request.time % HOUR_MS) / SLOT_MS);
    const count = (n: number) => Math.min(n + 1, MAX_HOURLY_COUNT);
    sums.requests = count(sums.requests);
    if (request.rejected) sums.rejected = count(sums.rejected);
    else if (request.order) {
      sums.orders = count(sums.orders);
      sums.slots[slot]!++;
    }
    sums.active |= 1 << slot;
    if (request.network !== 'unknown') sums.network = request.network;
    sums.changed = true;
    this.changed = true;
    this.dirty = true;
    this.windows = null;
  }

  /** What each key did in each window. */
  byKey(): Map<string, KeyWindows> {
    if (this.windows !== null) return this.windows;
    this.windows = new Map();
    for (const { key, active, slots } of this.sums.values()) {
      const found = this.windows.get(key);
      if (found === undefined) this.windows.set(key, { active, orders: [...slots] });
      else {
        found.active |= active;
        slots.forEach((n, i) => (found.orders[i]! += n));
      }
    }
    return this.windows;
  }
}

/** An hour's sums as its file has them. */
export interface SavedHour {
  given: boolean;
  sums: Sums[];
}

/** Keys' activity before the hours kept, as its file has it: key → day → orders and windows, in turn. */
export type SavedHistory = Record<string, Record<string, number[]>>;

/**
 * Sums a gateway's requests into hours. An hour is given out when it is complete, and what changes in it afterwards is
 * given out again whole. What has been given out in the end depends on the requests alone, not on when it was asked for.
 */
export class GatewayHours {
  private readonly books = new Map<number, HourBook>();
  /** Windows of hours no longer kept: key → day (days since 1970) → histogram. */
  private readonly past = new Map<string, Map<number, Histogram>>();
  private pastChanged = false;
  /** Hours up to this one are no longer kept; null while none has gone. */
  dropped: number | null = null;
  /** Latest time met, milliseconds since 1970. */
  latest: number | null = null;

  /** False when the request's hour is no longer kept: what was given out cannot be made whole again. */
  add(request: GatewayRequest): boolean {
    const hour = Math.floor(request.time / HOUR_MS);
    if (this.dropped !== null && hour <= this.dropped) return false;
    let book = this.books.get(hour);
    if (book === undefined) this.books.set(hour, (book = new HourBook()));
    book.add(request);
    if (this.latest === null || request.time > this.latest) this.latest = request.time;
    return true;
  }

  /** Whether a request at `time` shows an hour to be over that none before did; `graceMs` after its end, that is. */
  completesHour(time: number, graceMs: number): boolean {
    const hour = (t: number) => Math.floor((t - graceMs) / HOUR_MS);
    return this.latest !== null && hour(time) > hour(this.latest);
  }

  /**
   * Gives out every hour that ended before `until`, and what has changed in those given out before.
   * @param until milliseconds since 1970; Infinity for everything
   */
  take(until: number): RawObservation[] {
    const hours = [...this.books.keys()].sort((a, b) => a - b);
    const rows: RawObservation[] = [];
    let touched = false;
    for (const hour of hours) {
      const book = this.books.get(hour)!;
      if (!book.given && (hour + 1) * HOUR_MS > until) continue;
      touched ||= book.changed;
      // An hour's medians rest on those before it: from the first that changed on, all are looked at again.
      if (touched) this.give(hour, book, rows);
    }
    return rows;
  }

  /**
   * Drops hours too far behind the latest; they must have been given out.
   * @param now milliseconds since 1970: a time ahead of it in the log drops nothing
   */
  dropOld(now: number): void {
    if (this.latest === null) return;
    const oldest = Math.floor(Math.min(this.latest, now) / HOUR_MS) - KEPT_HOURS;
    for (const [hour, book] of this.books) {
      if (hour >= oldest) continue;
      for (const [key, windows] of book.byKey()) addWindows(this.pastDay(key, Math.floor(hour / 24)), windows);
      this.pastChanged = true;
      this.books.delete(hour);
    }
    this.dropped = Math.max(this.dropped ?? -Infinity, oldest - 1);
    const firstDay = Math.floor(oldest / 24) - MEDIAN_DAYS - 1;
    for (const [key, days] of this.past) {
      for (const day of days.keys()) if (day < firstDay) days.delete(day);
      if (days.size === 0) this.past.delete(key);
    }
  }

  /** Hours being collected that were never given out. */
  get open(): number {
    let open = 0;
    for (const book of this.books.values()) if (!book.given) open++;
    return open;
  }

  /** Whether {@link take} would give something. */
  ready(until: number): boolean {
    for (const [hour, book] of this.books) if (book.given ? book.changed : (hour + 1) * HOUR_MS <= until) return true;
    return false;
  }

  private give(hour: number, book: HourBook, rows: RawObservation[]): void {
    const medians = new Map<string, number>();
    for (const sums of book.sums.values()) {
      let keyMedian = medians.get(sums.key);
      if (keyMedian === undefined) medians.set(sums.key, (keyMedian = this.medianBefore(hour, sums.key, book)));
      const burst = burstSlots(sums.slots, keyMedian);
      if (!sums.changed && burst === sums.burst) continue;
      sums.changed = false;
      sums.burst = burst;
      book.dirty = true;
      const { key, ip, client, network, requests, orders, rejected, active } = sums;
      rows.push({
        row: 'observation', key, ip, client, hour, network, lists: [], requests, orders, rejected,
        activeSlots: active, burstSlots: burst,
      }); // prettier-ignore
    }
    if (!book.given) book.dirty = true;
    book.given = true;
    book.changed = false;
  }

  /**
   * The key's median active window over the days before, and today up to the hour; of a key that has none, over the
   * hour itself.
   */
  private medianBefore(hour: number, key: string, own: HourBook): number {
    const histogram: Histogram = new Map();
    const firstDay = Math.floor(hour / 24) - MEDIAN_DAYS;
    for (const [day, windows] of this.past.get(key) ?? [])
      if (day >= firstDay) for (const [orders, n] of windows) histogram.set(orders, (histogram.get(orders) ?? 0) + n);
    for (const [other, book] of this.books) {
      if (other >= hour || Math.floor(other / 24) < firstDay) continue;
      const windows = book.byKey().get(key);
      if (windows) addWindows(histogram, windows);
    }
    if (histogram.size === 0) addWindows(histogram, own.byKey().get(key)!);
    return median(histogram);
  }

  private pastDay(key: string, day: number): Histogram {
    let days = this.past.get(key);
    if (days === undefined) this.past.set(key, (days = new Map()));
    let histogram = days.get(day);
    if (histogram === undefined) days.set(day, (histogram = new Map()));
    return histogram;
  }

  /** Hours kept, and of them those that differ from their files, until {@link saved} says that they were written. */
  save(): { kept: number[]; dirty: [hour: number, content: SavedHour][]; history: SavedHistory | null } {
    const dirty: [number, SavedHour][] = [];
    for (const [hour, book] of this.books) {
      if (!book.dirty) continue;
      dirty.push([hour, { given: book.given, sums: [...book.sums.values()] }]);
    }
    let history: SavedHistory | null = null;
    if (this.pastChanged) {
      history = {};
      for (const [key, days] of this.past)
        history[key] = Object.fromEntries([...days].map(([day, h]) => [day, [...h].flat()]));
    }
    return { kept: [...this.books.keys()], dirty, history };
  }

  /** What {@link save} gave of an hour, or of the history, is on disk. */
  saved(what: number | 'history'): void {
    if (what === 'history') this.pastChanged = false;
    else this.books.get(what)!.dirty = false;
  }

  /** Puts a saved hour back. */
  restoreHour(hour: number, saved: SavedHour): void {
    const book = new HourBook();
    for (const sums of saved.sums) book.sums.set(`${sums.key}\0${sums.ip}\0${sums.client}`, sums);
    book.given = saved.given;
    book.changed = saved.sums.some((sums) => sums.changed);
    book.dirty = false;
    this.books.set(hour, book);
  }

  restoreHistory(saved: SavedHistory): void {
    for (const [key, days] of Object.entries(saved))
      for (const [day, flat] of Object.entries(days)) {
        const histogram = this.pastDay(key, Number(day));
        for (let i = 0; i < flat.length; i += 2) histogram.set(flat[i]!, flat[i + 1]!);
      }
  }
}
