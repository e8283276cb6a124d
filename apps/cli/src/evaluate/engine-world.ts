import {
  burstCounts,
  inferClientKinds,
  lockstepCandidates,
  summariseDay,
  type AllowRow,
  type DayUse,
  type HourUse,
  type Id,
  type KeyDay,
  type KeyFactsRow,
  type Neighbourhood,
} from '@app/correlation';
import { canonicalIp, ipPrefix, type KeyRecord, type Network, type Policy, type UsageRecord } from '@app/protocol';

const DAY_SECONDS = 86_400;

/** Names to small integers, as the hub interns tokens. */
class Interner {
  private readonly ids = new Map<string, Id>();

  id(name: string): Id {
    let id = this.ids.get(name);
    if (id === undefined) this.ids.set(name, (id = this.ids.size + 1));
    return id;
  }
}

/** Everything the engine reads, held in memory: what the hub's tables would hold after the same observations. */
export class EngineWorld {
  private readonly keys = new Interner();
  private readonly others = new Interner();
  private readonly facts = new Map<Id, KeyFactsRow>();
  private allow: AllowRow[] = [];
  private readonly prefixes = new Map<Id, Id>();
  private readonly ipText = new Map<string, Id>();
  private uses: DayUse[] = [];
  private keyDays: KeyDay[] = [];
  private today: { day: number; hours: HourUse[] } = { day: -1, hours: [] };
  private readonly lists = new Map<Id, string>();
  private touched = new Set<Id>();
  readonly names = new Map<Id, { member: string; access_key: string }>();

  /** The key lists of the exchanges as of now. */
  setKeys(lists: readonly { member: string; number: number; keys: readonly KeyRecord[] }[]): void {
    this.allow = [];
    for (const { member, number, keys } of lists)
      for (const record of keys) {
        const key = this.keyId(member, record.access_key);
        const text = JSON.stringify(record);
        if (this.lists.get(key) !== text) this.touched.add(key);
        this.lists.set(key, text);
        const seconds = (time: string) => Math.floor(Date.parse(time) / 1000);
        this.facts.set(key, {
          key,
          member: number,
          owner: this.others.id(`owner ${record.owner}`),
          permissions: record.permissions,
          accountType: record.account_type,
          createdAt: seconds(record.created_at),
          expiresAt: record.expires_at === null ? null : seconds(record.expires_at),
        });
        for (const entry of record.allowed_ips)
          this.allow.push({
            key,
            ip: this.ipId(entry.ip),
            addedAt: seconds(entry.added_at),
            removedAt: entry.removed_at === null ? null : seconds(entry.removed_at),
          });
      }
  }

  /** Takes an hour of a key in. Hours of one day may come in any order; days in theirs. */
  observe(member: string, usage: UsageRecord): void {
    const hour = Math.floor(Date.parse(usage.hour) / 3_600_000);
    const day = Math.floor(hour / 24);
    if (day !== this.today.day) this.closeDay(day);
    const ip = this.ipId(usage.ip);
    const key = this.keyId(member, usage.access_key);
    this.touched.add(key);
    this.today.hours.push({
      key,
      ip,
      prefix: this.prefixes.get(ip)!,
      client: this.others.id(`client ${usage.client.trim()}`),
      hour,
      network: usage.network,
      lists: usage.lists?.length ?? 0,
      requests: usage.requests,
      orders: usage.orders,
      rejected: usage.rejected,
      activeSlots: usage.active_slots,
      burstSlots: usage.burst_slots,
    });
  }

  /** The keys touched since the last call. */
  takeTouched(): Set<Id> {
    const touched = this.touched;
    this.touched = new Set();
    return touched;
  }

  /**
   * The rows that the hub would load for some keys and their neighbours, as of a time (seconds).
   * @param wanted keys to assess; their neighbours on addresses with few keys are assessed too
   * @param members numbers of the exchanges whose data is seen; all without
   */
  neighbourhood(
    policy: Policy,
    asOf: number,
    wanted: ReadonlySet<Id>,
    members?: ReadonlySet<number>,
  ): Omit<Neighbourhood, 'memory'> {
    const last = Math.floor(asOf / DAY_SECONDS);
    const first = last - policy.lookBackDays + 1;
    this.uses = this.uses.filter((use) => use.day >= first);
    this.keyDays = this.keyDays.filter((day) => day.day >= first);
    const current = summariseDay(this.today.hours);
    const mine = (key: Id) => members === undefined || members.has(this.facts.get(key)?.member ?? -1);
    const uses = [...this.uses, ...current.uses].filter((use) => mine(use.key));
    const keyDays = [...this.keyDays, ...current.keyDays].filter((row) => mine(row.key));
    const facts = [...this.facts.values()].filter((row) => mine(row.key));
    const bursts = burstCounts(keyDays);
    const seeds = withNeighbours(uses, [...wanted].filter(mine));
    const candidates = lockstepCandidates(seeds, keyDays, {
      search: policy.lockstepSearch,
      windowKeys: bursts.windowKeys,
      ownerOf: (key) => this.facts.get(key)?.owner,
      asOf,
      clockMinutes: policy.detectors.S1.clockMinutes,
    });
    const needed = new Set([...seeds, ...[...candidates.values()].flat()]);
    return {
      seeds,
      facts,
      uses,
      allow: this.allow.filter((row) => mine(row.key)),
      prefixes: this.prefixes,
      keyDays: keyDays.filter((row) => needed.has(row.key)),
      ...bursts,
      ...this.baseRates(uses),
      truncatedIps: new Map(),
    };
  }

  private baseRates(uses: readonly DayUse[]): Pick<Neighbourhood, 'clientOwners' | 'networkOwners' | 'clientKinds'> {
    const pairs = uses.flatMap(({ key, client }) => {
      const member = this.facts.get(key)?.member;
      return member === undefined ? [] : [{ member, client }];
    });
    const clientKinds = inferClientKinds(pairs);
    const clients = new Map<string, { client: Id; network: Network; kind: number; owners: Set<Id> }>();
    const networks = new Map<Network, Set<Id>>();
    for (const { key, client, network } of uses) {
      const facts = this.facts.get(key);
      if (facts === undefined) continue;
      const kind = clientKinds.get(facts.member)!;
      const name = `${client} ${network} ${kind}`;
      const entry = clients.get(name) ?? { client, network, kind, owners: new Set<Id>() };
      clients.set(name, entry);
      entry.owners.add(facts.owner);
      networks.set(network, (networks.get(network) ?? new Set()).add(facts.owner));
    }
    return {
      clientKinds,
      clientOwners: [...clients.values()].map((entry) => ({ ...entry, owners: entry.owners.size })),
      networkOwners: new Map([...networks].map(([network, owners]) => [network, owners.size])),
    };
  }

  private closeDay(next: number): void {
    const { uses, keyDays } = summariseDay(this.today.hours);
    this.uses = this.uses.concat(uses);
    this.keyDays = this.keyDays.concat(keyDays);
    this.today = { day: next, hours: [] };
  }

  private keyId(member: string, access_key: string): Id {
    const id = this.keys.id(`${member} ${access_key}`);
    if (!this.names.has(id)) this.names.set(id, { member, access_key });
    return id;
  }

  private ipId(text: string): Id {
    let id = this.ipText.get(text);
    if (id === undefined) {
      id = this.others.id(`ip ${canonicalIp(text)}`);
      this.ipText.set(text, id);
      this.prefixes.set(id, this.others.id(`prefix ${ipPrefix(text)}`));
    }
    return id;
  }
}

/** An address with more keys than this does not spread a re-assessment (as in the hub's worker). */
const NEIGHBOURS_PER_IP = 60;

function withNeighbours(uses: readonly DayUse[], wanted: readonly Id[]): Id[] {
  const keysOn = new Map<Id, Set<Id>>();
  for (const { ip, key } of uses) keysOn.set(ip, (keysOn.get(ip) ?? new Set()).add(key));
  const touched = new Set(wanted);
  const seeds = new Set(wanted);
  for (const keys of keysOn.values())
    if (keys.size <= NEIGHBOURS_PER_IP && [...keys].some((key) => touched.has(key)))
      for (const key of keys) seeds.add(key);
  return [...seeds].sort((a, b) => a - b);
}
