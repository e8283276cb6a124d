import type { Network } from '@app/protocol';
import type { DayUse, Id, KeyDay } from './neighbourhood.js';

/** Five-minute windows of a day. */
export const WINDOWS_PER_DAY = 288;

/** What one key did from one IP with one client in one hour: an observation with interned tokens. */
export interface HourUse {
  key: Id;
  ip: Id;
  prefix: Id;
  client: Id;
  /** Hours since 1970-01-01T00:00Z. */
  hour: number;
  network: Network;
  /** How many warning lists the address was on. */
  lists: number;
  requests: number;
  orders: number;
  rejected: number;
  /** 12 bits: bit i is minutes 5i to 5i+5 of the hour. */
  activeSlots: number;
  burstSlots: number;
}

interface KeyDayParts {
  bursts: Uint8Array;
  /** Per window: the first prefix and client seen, and whether a second of each was. */
  prefix: Int32Array;
  client: Int32Array;
  several: Uint8Array;
}

const SEVERAL_PREFIXES = 1;
const SEVERAL_CLIENTS = 2;

/**
 * Folds hourly observations into what the engine reads, per key and UTC day. Every observation of a key and day must be
 * among `observations` for that day to be right; their order does not matter. Rows come out sorted by key, day, IP and
 * client. Of an address that changed its class or lists within the day, the latest hour's network and the highest
 * number of lists stand.
 */
export function summariseDay(observations: Iterable<HourUse>): { uses: DayUse[]; keyDays: KeyDay[] } {
  const uses = new Map<string, { use: DayUse; lastHour: number }>();
  const days = new Map<string, { key: Id; day: number; parts: KeyDayParts }>();
  for (const o of observations) {
    const day = Math.floor(o.hour / 24);
    const hourOfDay = o.hour - day * 24;
    addUse(uses, o, day, hourOfDay);
    if (o.activeSlots !== 0) addWindows(days, o, day, hourOfDay);
  }
  return {
    uses: [...uses.values()].map(({ use }) => use).sort(compareUses),
    keyDays: [...days.values()].map(({ key, day, parts }) => toKeyDay(key, day, parts)).sort(compareKeyDays),
  };
}

function addUse(uses: Map<string, { use: DayUse; lastHour: number }>, o: HourUse, day: number, hour: number): void {
  const id = `${o.key}/${day}/${o.ip}/${o.client}`;
  const known = uses.get(id);
  if (!known) {
    const { key, ip, client, requests, orders, rejected, network, lists } = o;
    const use = { key, ip, client, day, hours: 1 << hour, requests, orders, rejected, network, lists };
    uses.set(id, { use, lastHour: hour });
    return;
  }
  const { use } = known;
  use.hours |= 1 << hour;
  use.requests += o.requests;
  use.orders += o.orders;
  use.rejected += o.rejected;
  use.lists = Math.max(use.lists, o.lists);
  if (hour > known.lastHour) {
    use.network = o.network;
    known.lastHour = hour;
  }
}

function addWindows(
  days: Map<string, { key: Id; day: number; parts: KeyDayParts }>,
  o: HourUse,
  day: number,
  hour: number,
): void {
  const id = `${o.key}/${day}`;
  let entry = days.get(id);
  if (!entry) {
    const parts = {
      bursts: new Uint8Array(WINDOWS_PER_DAY / 8),
      prefix: new Int32Array(WINDOWS_PER_DAY).fill(-1),
      client: new Int32Array(WINDOWS_PER_DAY).fill(-1),
      several: new Uint8Array(WINDOWS_PER_DAY),
    };
    entry = { key: o.key, day, parts };
    days.set(id, entry);
  }
  const { bursts, prefix, client, several } = entry.parts;
  for (let slot = 0; slot < 12; slot++) {
    if (((o.activeSlots >> slot) & 1) === 0) continue;
    const w = hour * 12 + slot;
    if ((o.burstSlots >> slot) & 1) bursts[w >> 3]! |= 1 << (w & 7);
    if (prefix[w] === -1) {
      prefix[w] = o.prefix;
      client[w] = o.client;
      continue;
    }
    if (prefix[w] !== o.prefix) several[w]! |= SEVERAL_PREFIXES;
    if (client[w] !== o.client) several[w]! |= SEVERAL_CLIENTS;
  }
}

function toKeyDay(key: Id, day: number, { bursts, prefix, several }: KeyDayParts): KeyDay {
  let active = 0;
  let concurrent = 0;
  for (let w = 0; w < WINDOWS_PER_DAY; w++) {
    if (prefix[w] !== -1) active++;
    if (several[w] === (SEVERAL_PREFIXES | SEVERAL_CLIENTS)) concurrent++;
  }
  return { key, day, bursts, concurrent, active };
}

function compareUses(a: DayUse, b: DayUse): number {
  return a.key - b.key || a.day - b.day || a.ip - b.ip || a.client - b.client;
}

function compareKeyDays(a: KeyDay, b: KeyDay): number {
  return a.key - b.key || a.day - b.day;
}
