import { DEFAULT_POLICY, type AccountType, type Network, type Permission, type Policy } from '@app/protocol';
import { assess } from '../assess.js';
import type { Assessment } from '../assessment.js';
import { DAY_SECONDS } from '../decay.js';
import type { AllowRow, DayUse, Id, KeyDay, KeyFactsRow, KeyMemory, Neighbourhood } from '../neighbourhood.js';

/** First day of every scenario: 2026-06-01. */
export const DAY_0 = 20_605;

/** Use of one address on some days. */
export interface UseInput {
  ip: string;
  client: string;
  /** First and last day of the scenario, both included. */
  days: readonly [number, number];
  network?: Network;
  requests?: number;
  rejected?: number;
  /** 24-bit mask; all day by default. */
  hours?: number;
  lists?: number;
  /** /24 of the address; one of its own by default. */
  prefix?: string;
  /** Whether the key registers the address on the first day; true by default. */
  registered?: boolean;
}

/** A population written by hand: names in, a neighbourhood out. For specs only. */
export class Scenario {
  private readonly ids = new Map<string, Id>();
  private readonly facts: KeyFactsRow[] = [];
  private readonly uses: DayUse[] = [];
  private readonly allow: AllowRow[] = [];
  private readonly prefixes = new Map<Id, Id>();
  private readonly keyDays = new Map<string, KeyDay>();
  private readonly background: { client: Id; network: Network; owners: number }[] = [];
  private readonly owners = new Map<Network, number>();
  readonly memory: KeyMemory[] = [];
  readonly truncated = new Map<Id, number>();
  busyKeys = 400;

  id(name: string): Id {
    let id = this.ids.get(name);
    if (id === undefined) this.ids.set(name, (id = this.ids.size + 1));
    return id;
  }

  key(
    name: string,
    owner: string,
    member = 1,
    more: { accountType?: AccountType; permissions?: Permission[] } = {},
  ): string {
    this.facts.push({
      key: this.id(name),
      member,
      owner: this.id(`owner ${owner}`),
      permissions: more.permissions ?? ['read', 'trade'],
      accountType: more.accountType ?? 'individual',
      createdAt: (DAY_0 - 100) * DAY_SECONDS,
      expiresAt: null,
    });
    return name;
  }

  use(key: string, input: UseInput): this {
    const ip = this.id(`ip ${input.ip}`);
    this.prefixes.set(ip, this.id(`prefix ${input.prefix ?? input.ip}`));
    const requests = input.requests ?? 500;
    for (let day = input.days[0]; day <= input.days[1]; day++) {
      this.uses.push({
        key: this.id(key),
        ip,
        client: this.id(`client ${input.client}`),
        day: DAY_0 + day,
        hours: input.hours ?? 0xffffff,
        requests,
        orders: Math.floor(requests / 10),
        rejected: input.rejected ?? 0,
        network: input.network ?? 'hosting',
        lists: input.lists ?? 0,
      });
      this.keyDay(key, day);
    }
    if (input.registered ?? true) this.registers(key, input.ip, input.days[0]);
    return this;
  }

  registers(key: string, ip: string, day: number, removed: number | null = null): this {
    this.allow.push({
      key: this.id(key),
      ip: this.id(`ip ${ip}`),
      addedAt: (DAY_0 + day) * DAY_SECONDS,
      removedAt: removed === null ? null : (DAY_0 + removed) * DAY_SECONDS,
    });
    return this;
  }

  /** Marks windows of a day in which the key bursts. */
  bursts(key: string, day: number, windows: readonly number[]): this {
    const row = this.keyDay(key, day);
    for (const w of windows) row.bursts[w >> 3]! |= 1 << (w & 7);
    return this;
  }

  concurrent(key: string, day: number, windows: number): this {
    this.keyDay(key, day).concurrent = windows;
    return this;
  }

  /** Unrelated owners elsewhere who show a client. */
  elsewhere(client: string, network: Network, owners: number): this {
    this.background.push({ client: this.id(`client ${client}`), network, owners });
    return this;
  }

  remember(key: string, memory: Partial<KeyMemory>): this {
    this.memory.push({
      rung: 'none',
      since: DAY_0 * DAY_SECONDS,
      cleanSince: null,
      reverifiedAt: null,
      reverificationFailed: false,
      upheldWarnings: [],
      ...memory,
      key: this.id(key),
    });
    return this;
  }

  neighbourhood(seeds?: readonly string[]): Neighbourhood {
    const windowKeys = new Map<number, number>();
    const activeKeys = new Map<number, number>();
    for (const row of this.keyDays.values()) {
      activeKeys.set(row.day, this.busyKeys);
      for (let w = 0; w < 288; w++)
        if ((row.bursts[w >> 3]! >> (w & 7)) & 1) {
          const window = row.day * 288 + w;
          windowKeys.set(window, (windowKeys.get(window) ?? 0) + 1);
        }
    }
    return {
      seeds: seeds ? seeds.map((seed) => this.id(seed)) : this.facts.map((row) => row.key),
      facts: this.facts,
      uses: this.uses,
      allow: this.allow,
      prefixes: this.prefixes,
      keyDays: [...this.keyDays.values()],
      windowKeys,
      activeKeys,
      ...this.baseRates(),
      memory: this.memory,
      truncatedIps: this.truncated,
      clientKinds: new Map([1, 2, 3, 4, 5].map((member) => [member, 0])),
    };
  }

  /** The end of a day of the scenario, in seconds. */
  at(day: number): number {
    return (DAY_0 + day + 1) * DAY_SECONDS - 1;
  }

  assess(key: string, day: number, policy: Policy = DEFAULT_POLICY): Assessment {
    const [assessment] = assess(this.neighbourhood([key]), policy, this.at(day));
    if (!assessment) throw new Error(`${key} was not assessed`);
    return assessment;
  }

  private baseRates(): Pick<Neighbourhood, 'clientOwners' | 'networkOwners'> {
    const owners = new Map<string, Set<Id>>();
    const perNetwork = new Map<Network, Set<Id>>();
    const ownerOf = new Map(this.facts.map((row) => [row.key, row.owner]));
    for (const use of this.uses) {
      const owner = ownerOf.get(use.key)!;
      const id = `${use.network}/${use.client}`;
      owners.set(id, (owners.get(id) ?? new Set()).add(owner));
      perNetwork.set(use.network, (perNetwork.get(use.network) ?? new Set()).add(owner));
    }
    const counts = new Map<string, number>([...owners].map(([id, set]) => [id, set.size]));
    const networks = new Map<Network, number>([...perNetwork].map(([network, set]) => [network, set.size]));
    for (const { client, network, owners: more } of this.background) {
      counts.set(`${network}/${client}`, (counts.get(`${network}/${client}`) ?? 0) + more);
      networks.set(network, (networks.get(network) ?? 0) + more);
    }
    const clientOwners = [...counts].map(([id, count]) => {
      const [network, client] = id.split('/') as [Network, string];
      return { client: Number(client), network, owners: count };
    });
    return { clientOwners, networkOwners: networks };
  }

  private keyDay(key: string, day: number): KeyDay {
    const id = `${key}/${day}`;
    let row = this.keyDays.get(id);
    if (!row) {
      row = { key: this.id(key), day: DAY_0 + day, bursts: new Uint8Array(36), concurrent: 0, active: 200 };
      this.keyDays.set(id, row);
    }
    return row;
  }
}

/** Everyday clients of a population of about 1,000 owners. */
export function ordinaryClients(scenario: Scenario): Scenario {
  for (const network of ['hosting', 'residential', 'mobile', 'vpn'] as const) {
    scenario.elsewhere('requests', network, 110);
    scenario.elsewhere('aiohttp', network, 60);
    scenario.elsewhere('axios', network, 40);
    scenario.elsewhere('okhttp', network, 25);
    for (let i = 0; i < 40; i++) scenario.elsewhere(`own program ${i}`, network, 1);
  }
  return scenario;
}

/** Burst windows that depend on a text only: deterministic, spread over the day, not on the hour. */
export function windowsOf(text: string, count: number): number[] {
  const windows = new Set<number>();
  let state = 2_166_136_261;
  for (const char of text) state = Math.imul(state ^ char.charCodeAt(0), 16_777_619) >>> 0;
  while (windows.size < count) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const window = Math.floor((state / 2 ** 32) * 288);
    if (window % 12 !== 0) windows.add(window);
  }
  return [...windows];
}
