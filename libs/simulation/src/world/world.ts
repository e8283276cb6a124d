import { POPULATION_MEMBERS, type AccountType, type Permission } from '@app/protocol';
import type { Distribution, Spread } from '../distribution.js';
import { AddressBook, type Address } from './addresses.js';
import { ClientCatalogue, type Program } from './clients.js';
import type { Entry, Follow, Lane, Owner, Schedule, SimKey, Site, Temper } from './model.js';
import { Random } from './random.js';
import { Signals } from './signals.js';
import { ALL_SLOTS, DAY_HOURS } from './time.js';

const KEY_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const CI_ALPHABET = `${KEY_ALPHABET}+/`;
const YEAR_HOURS = 365 * DAY_HOURS;
/** Most entries of an allow-list. */
export const MOST_ENTRIES = 10;
/** Most keys an account may hold. */
const MOST_KEYS = 10;

/** What a lane is made from; the rest has defaults. */
export type LaneInput = Pick<Lane, 'site' | 'temper' | 'schedule'> & { program: Program } & Partial<
    Omit<Lane, 'id' | 'site' | 'temper' | 'schedule'>
  >;

/** A population under construction: its people, keys, addresses, clients, and what happens to them together. */
export class World {
  readonly hours: number;
  readonly keys: SimKey[] = [];
  readonly addresses: AddressBook;
  readonly clients: ClientCatalogue;
  readonly signals: Signals;
  /** Public indicators that unrelated people trade on. */
  private readonly indicators: number[];
  private lanes = 0;
  private groups = 0;
  private current: number | undefined;

  constructor(
    readonly random: Random,
    seed: string,
    readonly days: number,
    readonly distribution: Distribution,
  ) {
    const { recycledShare, ipv6Share, clientZipf, marketEvents, sharedBursts } = distribution;
    this.hours = days * DAY_HOURS;
    this.addresses = new AddressBook(random, recycledShare, ipv6Share);
    this.clients = new ClientCatalogue(random, clientZipf);
    this.signals = new Signals(seed, days, marketEvents);
    this.indicators = Array.from({ length: 8 }, () => this.signals.stream(this.spread(sharedBursts)));
  }

  spread({ median, sigma }: Spread): number {
    return this.random.lognormal(median, sigma);
  }

  /** A new person with accounts at one to five members. */
  owner(options: { members?: readonly number[]; fewKeys?: boolean } = {}): Owner {
    const { random, distribution } = this;
    const members = options.members ?? this.memberships(1 + random.weighted(distribution.memberships));
    const accounts = members.map((member) => ({
      member,
      keys: options.fewKeys ? 1 : Math.min(MOST_KEYS, 1 + random.poisson(distribution.extraKeys)),
    }));
    const temper = this.temper();
    return {
      id: random.text(86, CI_ALPHABET) + '==',
      accounts,
      group: this.current ?? this.newGroup(),
      stale: random.chance(distribution.staleShare),
      stream: this.signals.stream(temper.bursts),
      temper,
    };
  }

  newGroup(): number {
    return this.groups++;
  }

  /** Makes people of one group: what is estimated from a population must not count them as independent. */
  together<T>(make: () => T, group: number = this.newGroup()): T {
    const outer = this.current;
    this.current ??= group;
    try {
      return make();
    } finally {
      this.current = outer;
    }
  }

  /** So many different members, the popular ones first to be drawn. */
  memberships(count: number): number[] {
    const left = POPULATION_MEMBERS.map((_, member) => member);
    return Array.from({ length: count }, () => {
      const at = this.random.weighted(left.map((member) => this.distribution.memberWeights[member] as number));
      return left.splice(at, 1)[0] as number;
    });
  }

  key(
    owner: Owner,
    member: number,
    segment: string,
    options: { type?: AccountType; permissions?: Permission[]; created?: number; onset?: number | null } = {},
  ): SimKey {
    const { random } = this;
    const created = options.created ?? -random.between(24, 320 * DAY_HOURS);
    const permissions =
      options.permissions ?? (random.chance(0.04) ? ['read', 'trade', 'withdraw'] : ['read', 'trade']);
    const key: SimKey = {
      index: this.keys.length,
      member,
      accessKey: random.text(40, KEY_ALPHABET),
      owner,
      accountType: options.type ?? 'individual',
      permissions: [...permissions],
      entries: [],
      created,
      expires: created + YEAR_HOURS,
      segment,
      onset: options.onset ?? null,
      lanes: [],
    };
    this.keys.push(key);
    return key;
  }

  lane(key: SimKey, input: LaneInput): Lane {
    const { program, ...rest } = input;
    const lane: Lane = {
      id: this.lanes++,
      from: Math.max(0, key.created),
      to: this.hours,
      clients: [{ from: -Infinity, program }],
      follows: [],
      outages: [],
      duty: 1,
      ...rest,
    };
    key.lanes.push(lane);
    return lane;
  }

  /** Puts an address on a key's allow-list from a time on. */
  register(key: SimKey, address: Address, added: number, removed: number | null = null): void {
    key.entries.push({ ip: address.ip, added: Math.max(added, key.created), removed });
  }

  /** Closes the construction: exchanges allow ten addresses a key, so who needs an eleventh gives up the oldest. */
  finish(): void {
    for (const key of this.keys) {
      key.entries.sort((a, b) => a.added - b.added);
      const open: Entry[] = [];
      for (const entry of key.entries) {
        for (let i = open.length - 1; i >= 0; i--) if ((open[i]!.removed ?? Infinity) <= entry.added) open.splice(i, 1);
        if (open.length === MOST_ENTRIES) open.shift()!.removed = entry.added;
        open.push(entry);
      }
    }
  }

  /** How a person trades. */
  temper(): Temper {
    const { random, distribution } = this;
    const orders = random.chance(0.15) ? 0 : random.lognormal(1.2, 1.1);
    return {
      orders,
      requests: this.spread(distribution.requestRate),
      bursts: Math.min(40, this.spread(distribution.ownBursts)),
      market: random.chance(distribution.marketFollowers) ? random.between(0.1, 0.9) : 0,
      clock: random.chance(distribution.clockShare) ? random.pick([1, 4, 4, 8, 24]) : 0,
    };
  }

  /** The same strategy on another account: alike, not equal. */
  alike(temper: Temper): Temper {
    const factor = () => this.random.lognormal(1, 0.35);
    return { ...temper, orders: temper.orders * factor(), requests: temper.requests * factor() };
  }

  schedule(kind?: Schedule['kind']): Schedule {
    const { random } = this;
    const kinds = ['always', 'waking', 'sessions', 'sparse'] as const;
    const chosen = kind ?? (kinds[random.weighted(this.distribution.schedules)] as Schedule['kind']);
    const every = random.pick([3, 6, 12]);
    let mask = 0;
    for (let slot = random.whole(0, every - 1); slot < 12; slot += every) mask |= 1 << slot;
    return {
      kind: chosen,
      start: (random.whole(6, 11) + (random.chance(0.2) ? 10 : 0)) % DAY_HOURS,
      length: chosen === 'sessions' ? random.whole(1, 4) : random.whole(8, 17),
      density:
        chosen === 'sessions' ? random.between(0.25, 0.95) : random.chance(0.55) ? 1 : random.between(0.35, 0.99),
      mask: chosen === 'sparse' ? mask : ALL_SLOTS,
      weekdays: random.chance(0.1),
    };
  }

  /** What a person's lane follows: the own strategy, and for some a public indicator. */
  personFollows(owner: Owner): Follow[] {
    const { random, distribution } = this;
    const follows: Follow[] = [{ stream: owner.stream, chance: random.between(0.35, 0.9), lag: [0, 20] }];
    if (random.chance(distribution.publicStrategy.share))
      follows.push({ stream: random.pick(this.indicators), chance: distribution.publicStrategy.follow, lag: [0, 120] });
    return follows;
  }

  personProgram(): Program {
    return this.clients.person(this.distribution.clients);
  }

  /** An address for as long as the population lasts. */
  fixed(address: Address): Site {
    return { kind: 'leases', leases: [{ from: -Infinity, address }] };
  }
}
