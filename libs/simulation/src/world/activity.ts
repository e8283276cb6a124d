import type { UsageRecord } from '@app/protocol';
import type { Address } from './addresses.js';
import type { Program } from './clients.js';
import type { Lane, Schedule, SimKey, Site } from './model.js';
import { Random } from './random.js';
import { busySecond } from './signals.js';
import { ALL_SLOTS, DAY_HOURS, isoAt, seoulHour, SLOTS } from './time.js';
import type { World } from './world.js';

/** Part of a lane's burst rate that is its own, beyond its owner's stream. */
const OWN_BURST_SHARE = 0.35;
const SLOT_SECONDS = 300;

/** What makes the usage rows of a population, one day of one key at a time. */
export class Activity {
  private readonly hourTexts: string[] = [];

  constructor(
    private readonly world: World,
    private readonly seed: string,
    private readonly startMs: number,
    private readonly clientKinds: readonly ('ja4' | 'ua')[],
  ) {}

  /** The rows of a key on a day, into `hours[0..23]`. Rows are unique by IP, client and hour. */
  keyDay(key: SimKey, day: number, hours: UsageRecord[][]): void {
    const several = key.lanes.length > 1;
    const mine = several ? new Map<string, UsageRecord>() : undefined;
    for (const lane of key.lanes) {
      if (lane.to <= day * DAY_HOURS || lane.from >= (day + 1) * DAY_HOURS) continue;
      this.laneDay(key, lane, day, (hourOfDay, row) => {
        if (mine) {
          const id = `${hourOfDay} ${row.ip} ${row.client}`;
          const earlier = mine.get(id);
          if (earlier) return merge(earlier, row);
          mine.set(id, row);
        }
        hours[hourOfDay]!.push(row);
      });
    }
  }

  private laneDay(key: SimKey, lane: Lane, day: number, emit: (hourOfDay: number, row: UsageRecord) => void): void {
    const random = new Random(this.seed, 'lane', lane.id, day);
    const planned = plan(lane.schedule, day, random);
    if (planned === undefined) return;
    const bursts = this.burstMasks(lane, day, random);
    const crash = random.chance(0.08) ? random.whole(0, 23) : -1;
    const crashHours = random.lognormal(3, 0.8);
    const mood = random.lognormal(1, 0.3);
    for (let hourOfDay = 0; hourOfDay < DAY_HOURS; hourOfDay++) {
      const hour = day * DAY_HOURS + hourOfDay;
      if (hour + 1 <= lane.from || hour >= lane.to || hour >= key.expires) continue;
      if (!planned[hourOfDay] || (crash >= 0 && hourOfDay >= crash && hourOfDay < crash + crashHours)) continue;
      if (lane.duty < 1 && !random.chance(lane.duty)) continue;
      if (lane.ramp && !random.chance(Math.min(1, 0.06 + (hour - lane.from) / lane.ramp))) continue;
      const address = addressAt(lane.site, lane.id, hour, random);
      const up = this.upMask(key, lane, address, hour);
      if (up === 0) continue;
      const row = this.row(key, lane, hour, address, up, bursts[hourOfDay]!, mood, random);
      if (row) emit(hourOfDay, row);
    }
  }

  /** Windows of an hour in which the exchange, the provider and everything the lane hangs on are up. */
  private upMask(key: SimKey, lane: Lane, address: Address, hour: number): number {
    const { signals } = this.world;
    let down = signals.maintenance(key.member, hour) | signals.down(address.provider, hour);
    for (const group of lane.outages) down |= signals.down(group, hour);
    let up = ALL_SLOTS & ~down;
    if (lane.from > hour) up &= slotsFrom(lane.from - hour);
    if (lane.to < hour + 1) up &= ~slotsFrom(lane.to - hour);
    return up;
  }

  private burstMasks(lane: Lane, day: number, random: Random): number[] {
    const masks = new Array<number>(DAY_HOURS).fill(0);
    const { temper } = lane;
    const { signals } = this.world;
    const mark = (second: number) => {
      if (second < DAY_HOURS * 3600)
        masks[Math.floor(second / 3600)]! |= 1 << Math.floor((second % 3600) / SLOT_SECONDS);
    };
    for (const { stream, chance, lag } of lane.follows)
      for (const { second } of signals.bursts(stream, day))
        if (random.chance(chance)) mark(second + random.between(lag[0], lag[1]));
    for (let left = random.poisson(temper.bursts * OWN_BURST_SHARE); left > 0; left--) mark(busySecond(random));
    if (temper.market > 0)
      for (const { second, strength } of signals.market(day))
        if (random.chance(temper.market * strength)) mark(second + random.between(0, 240));
    if (temper.clock > 0)
      for (let hour = 0; hour < DAY_HOURS; hour += temper.clock)
        if (random.chance(0.6)) mark(hour * 3600 + random.between(0, 60));
    return masks;
  }

  private row(
    key: SimKey,
    lane: Lane,
    hour: number,
    address: Address,
    up: number,
    burst: number,
    mood: number,
    random: Random,
  ): UsageRecord | undefined {
    const { schedule, temper } = lane;
    let active = 0;
    if (schedule.density >= 1) active = ALL_SLOTS;
    else for (let slot = 0; slot < SLOTS; slot++) if (random.chance(schedule.density)) active |= 1 << slot;
    active = ((active & schedule.mask) | burst) & up;
    if (active === 0) return undefined;
    const allowed = allowedSlots(key, address.ip, hour);
    // A program that is refused backs off: it asks in some of its windows only, and places nothing.
    const refused = active & ~allowed & (random.chance(0.5) ? ALL_SLOTS : random.bits());
    active = (active & allowed) | refused;
    if (active === 0) return undefined;
    const bursts = burst & active & ~refused;
    const working = bits(active & ~refused);
    const ordinary = working - bits(bursts);
    const typical = temper.orders * mood;
    // By definition a burst window has more than three times the orders of the median window, and five at least.
    const floor = Math.max(5, Math.floor(3 * Math.ceil(typical)) + 1);
    let orders = Math.min(random.poisson(typical * ordinary), ordinary * (floor - 1));
    for (let left = bits(bursts); left > 0; left--) orders += floor + Math.floor(random.exponential(floor * 0.7));
    const rejected =
      bits(refused) === 0 ? 0 : Math.max(bits(refused), random.poisson(temper.requests * 0.3 * bits(refused)));
    const requests = Math.max(working, random.poisson(temper.requests * mood * working)) + orders + rejected;
    return {
      hour: (this.hourTexts[hour] ??= isoAt(this.startMs, hour)),
      access_key: key.accessKey,
      ip: address.ip,
      ...(address.lists ? { lists: address.lists } : {}),
      network: address.seen[key.member]!,
      client: clientAt(lane, hour, this.seed)[this.clientKinds[key.member]!],
      requests,
      orders,
      rejected,
      active_slots: active,
      burst_slots: bursts,
    };
  }
}

/** Hours of the day (UTC) in which a schedule runs, or undefined on a day off. */
function plan(schedule: Schedule, day: number, random: Random): boolean[] | undefined {
  if (schedule.weekdays && day % 7 >= 5) return undefined;
  switch (schedule.kind) {
    case 'always':
      return new Array<boolean>(DAY_HOURS).fill(true);
    case 'waking': {
      const start = schedule.start + random.whole(-1, 1);
      const length = schedule.length + random.whole(-2, 2);
      return hoursOfSeoul((hour) => (hour - start + 48) % DAY_HOURS < length);
    }
    case 'sessions': {
      if (random.chance(0.25)) return undefined;
      const sessions = Array.from({ length: random.whole(1, 3) }, () =>
        seoulHour(Math.floor(busySecond(random) / 3600)),
      );
      return hoursOfSeoul((hour) => sessions.some((start) => (hour - start + DAY_HOURS) % DAY_HOURS < schedule.length));
    }
    case 'sparse':
      return hoursOfSeoul(() => random.chance(0.8));
  }
}

function hoursOfSeoul(runs: (hourInSeoul: number) => boolean): boolean[] {
  return Array.from({ length: DAY_HOURS }, (_, hour) => runs(seoulHour(hour)));
}

function addressAt(site: Site, lane: number, hour: number, random: Random): Address {
  if (site.kind === 'leases') {
    let current = site.leases[0]!.address;
    for (const lease of site.leases) if (lease.from <= hour) current = lease.address;
    return current;
  }
  if (site.strays.length > 0 && random.chance(site.stray)) return random.pick(site.strays);
  if (site.addresses.length === 1) return site.addresses[0]!;
  return new Random('stay', lane, Math.floor(hour / site.stay)).pick(site.addresses);
}

function clientAt(lane: Lane, hour: number, seed: string): Program {
  if (lane.shuffleHours)
    return new Random(seed, 'client', lane.id, Math.floor(hour / lane.shuffleHours)).pick(lane.clients).program;
  let current = lane.clients[0]!.program;
  for (const { from, program } of lane.clients) if (from <= hour) current = program;
  return current;
}

/** Windows of an hour in which an address is on the key's allow-list. */
function allowedSlots(key: SimKey, ip: string, hour: number): number {
  let allowed = 0;
  for (const entry of key.entries) {
    if (entry.ip !== ip || entry.added >= hour + 1 || (entry.removed !== null && entry.removed <= hour)) continue;
    let slots = entry.added > hour ? slotsFrom(entry.added - hour) : ALL_SLOTS;
    if (entry.removed !== null && entry.removed < hour + 1) slots &= ~slotsFrom(entry.removed - hour);
    allowed |= slots;
  }
  return allowed;
}

/** The windows that begin at or after a fraction of the hour. */
function slotsFrom(fraction: number): number {
  return (ALL_SLOTS << Math.ceil(fraction * SLOTS)) & ALL_SLOTS;
}

function bits(mask: number): number {
  let count = 0;
  for (let left = mask; left > 0; left &= left - 1) count++;
  return count;
}

function merge(into: UsageRecord, row: UsageRecord): void {
  into.requests += row.requests;
  into.orders += row.orders;
  into.rejected += row.rejected;
  into.active_slots |= row.active_slots;
  into.burst_slots |= row.burst_slots;
}
