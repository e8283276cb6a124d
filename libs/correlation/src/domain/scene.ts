import type { Network, Policy } from '@app/protocol';
import type { CrowdReason } from './assessment.js';
import { inferClientKinds } from './client-kinds.js';
import { ClientBaseRates, clientMix, clientRatio, type ClientMix, type ClientSeen } from './client-ratio.js';
import { DAY_SECONDS, dayOf, decay } from './decay.js';
import type { AllowRow, DayUse, Id, KeyDay, KeyFactsRow, KeyMemory, Neighbourhood } from './neighbourhood.js';

/** One owner on one IP. */
export interface OwnerOnIp {
  owner: Id;
  /** Recency: 1 when last seen today, halving with the policy's half-life. */
  weight: number;
  /** The client of most of its requests there, under each kind of fingerprint. */
  clients: ClientSeen[];
  /** The exchanges whose keys it drives from there. */
  members: number[];
  firstDay: number;
  lastDay: number;
}

/** An IP as everyone uses it. Only requests that were not refused count as use. */
export interface IpView {
  ip: Id;
  network: Network;
  owners: ReadonlyMap<Id, OwnerOnIp>;
  mix: ClientMix;
  /** ρ over all its owners; null where no two clients compare. */
  ratio: number | null;
  crowd: CrowdReason | null;
  /** Distinct owners; distinct keys where there were too many to load. */
  size: number;
  /** Per day and owner, a mask of the hours in which it was there. */
  days: ReadonlyMap<number, ReadonlyMap<Id, number>>;
}

/** Requests of a row that were not refused. */
export function accepted(use: DayUse): number {
  return Math.max(use.requests - use.rejected, 0);
}

/**
 * A neighbourhood with its indexes, as of a time, optionally without the rows of one exchange: what the detectors
 * read. Rows from the future and from before the look-back are not seen.
 */
export class Scene {
  readonly asOfDay: number;
  private readonly views = new Map<Id, IpView>();

  private constructor(
    readonly policy: Policy,
    readonly asOf: number,
    private readonly rows: SceneRows,
    private readonly withoutMember: number | null,
    private readonly kept: Id | null,
  ) {
    this.asOfDay = dayOf(asOf);
  }

  static of(n: Neighbourhood, policy: Policy, asOf: number): Scene {
    return new Scene(policy, asOf, indexRows(n, policy, asOf), null, null);
  }

  /** The same scene had `member` never sent anything, but for the rows of the key `kept`. */
  without(member: number, kept: Id | null = null): Scene {
    return new Scene(this.policy, this.asOf, this.rows, member, kept);
  }

  get neighbourhood(): Neighbourhood {
    return this.rows.source;
  }

  get rates(): ClientBaseRates {
    return this.rows.rates;
  }

  facts(key: Id): KeyFactsRow | undefined {
    const facts = this.rows.facts.get(key);
    return facts && facts.member === this.withoutMember && key !== this.kept ? undefined : facts;
  }

  memory(key: Id): KeyMemory | undefined {
    return this.rows.memory.get(key);
  }

  usesOf(key: Id): readonly DayUse[] {
    return this.rows.usesByKey.get(key) ?? [];
  }

  keyDaysOf(key: Id): readonly KeyDay[] {
    return this.rows.keyDays.get(key) ?? [];
  }

  allowOf(key: Id): readonly AllowRow[] {
    return this.rows.allowByKey.get(key) ?? [];
  }

  allowOn(ip: Id): readonly AllowRow[] {
    return this.rows.allowByIp.get(ip) ?? [];
  }

  /** The kind of fingerprint by which an exchange knows clients. */
  kindOf(member: number): number {
    return this.rows.clientKinds.get(member) ?? member;
  }

  prefixOf(ip: Id): Id {
    return this.rows.source.prefixes.get(ip) ?? -ip - 1;
  }

  /** Weight of evidence seen on `day`. */
  decayOf(day: number): number {
    return decay(this.asOfDay - day, this.policy.halfLifeDays);
  }

  ip(ip: Id): IpView {
    let view = this.views.get(ip);
    if (!view) this.views.set(ip, (view = this.buildView(ip)));
    return view;
  }

  private buildView(ip: Id): IpView {
    const byOwner = new Map<Id, OwnerRows>();
    const networks = new Map<Network, number>();
    const days = new Map<number, Map<Id, number>>();
    let listsDay = -Infinity;
    let lists = 0;
    for (const use of this.rows.usesByIp.get(ip) ?? []) {
      const facts = this.facts(use.key);
      if (!facts) continue;
      if (use.day > listsDay || (use.day === listsDay && use.lists > lists)) {
        listsDay = use.day;
        lists = use.lists;
      }
      const requests = accepted(use);
      if (requests === 0) continue;
      networks.set(use.network, (networks.get(use.network) ?? 0) + requests);
      addOwnerUse(byOwner, facts, use, requests, this.kindOf(facts.member));
      let day = days.get(use.day);
      if (!day) days.set(use.day, (day = new Map()));
      day.set(facts.owner, (day.get(facts.owner) ?? 0) | use.hours);
    }
    for (const owner of byOwner.values()) {
      for (const [kind, requests] of owner.requests) owner.clients.push({ kind, client: heaviest(requests)! });
      owner.weight = this.decayOf(owner.lastDay);
    }
    const network = heaviest(networks) ?? 'unknown';
    const clients = [...byOwner.values()].map((owner) => owner.clients);
    const mix = clientMix(clients, network, this.rows.rates);
    const ratio = clientRatio(mix, this.policy.clientRatio.strayProbability);
    const size = this.rows.source.truncatedIps.get(ip) ?? byOwner.size;
    return { ip, network, owners: byOwner, mix, ratio, crowd: this.crowd(ip, lists, ratio, size), size, days };
  }

  private crowd(ip: Id, lists: number, ratio: number | null, size: number): CrowdReason | null {
    const rule = this.policy.crowd;
    if (this.rows.source.truncatedIps.has(ip)) return 'too_many_keys';
    if (lists >= rule.minLists) return 'warning_list';
    return size >= rule.minOwners && ratio !== null && ratio <= rule.maxRatio ? 'unrelated_clients' : null;
  }
}

interface SceneRows {
  source: Neighbourhood;
  rates: ClientBaseRates;
  clientKinds: ReadonlyMap<number, number>;
  facts: ReadonlyMap<Id, KeyFactsRow>;
  memory: ReadonlyMap<Id, KeyMemory>;
  usesByKey: ReadonlyMap<Id, DayUse[]>;
  usesByIp: ReadonlyMap<Id, DayUse[]>;
  keyDays: ReadonlyMap<Id, KeyDay[]>;
  allowByKey: ReadonlyMap<Id, AllowRow[]>;
  allowByIp: ReadonlyMap<Id, AllowRow[]>;
}

function indexRows(n: Neighbourhood, policy: Policy, asOf: number): SceneRows {
  const last = dayOf(asOf);
  const first = last - policy.lookBackDays;
  const inside = (row: { day: number }): boolean => row.day > first && row.day <= last;
  const uses = n.uses
    .filter(inside)
    .sort((a, b) => a.day - b.day || a.ip - b.ip || a.key - b.key || a.client - b.client);
  const keyDays = n.keyDays.filter(inside).sort((a, b) => a.day - b.day || a.key - b.key);
  const since = first * DAY_SECONDS;
  const allow = n.allow.filter((row) => row.addedAt <= asOf && (row.removedAt === null || row.removedAt > since));
  const facts = new Map(n.facts.map((row) => [row.key, row]));
  return {
    source: n,
    clientKinds: n.clientKinds ?? inferClientKinds(pairsOf(uses, facts)),
    rates: new ClientBaseRates(n, policy.clientRatio),
    facts,
    memory: new Map(n.memory.map((row) => [row.key, row])),
    usesByKey: groupBy(uses, (row) => row.key),
    usesByIp: groupBy(uses, (row) => row.ip),
    keyDays: groupBy(keyDays, (row) => row.key),
    allowByKey: groupBy(allow, (row) => row.key),
    allowByIp: groupBy(allow, (row) => row.ip),
  };
}

function* pairsOf(
  uses: readonly DayUse[],
  facts: ReadonlyMap<Id, KeyFactsRow>,
): Generator<{ member: number; client: Id }> {
  for (const { key, client } of uses) {
    const member = facts.get(key)?.member;
    if (member !== undefined) yield { member, client };
  }
}

/** An owner on an IP, with its requests per kind of fingerprint and client. */
interface OwnerRows extends OwnerOnIp {
  requests: Map<number, Map<Id, number>>;
}

function addOwnerUse(
  byOwner: Map<Id, OwnerRows>,
  facts: KeyFactsRow,
  use: DayUse,
  requests: number,
  kind: number,
): void {
  let entry = byOwner.get(facts.owner);
  if (!entry) {
    entry = {
      owner: facts.owner,
      weight: 0,
      clients: [],
      members: [],
      firstDay: use.day,
      lastDay: use.day,
      requests: new Map(),
    };
    byOwner.set(facts.owner, entry);
  }
  entry.firstDay = Math.min(entry.firstDay, use.day);
  entry.lastDay = Math.max(entry.lastDay, use.day);
  if (!entry.members.includes(facts.member)) entry.members.push(facts.member);
  let perClient = entry.requests.get(kind);
  if (!perClient) entry.requests.set(kind, (perClient = new Map()));
  perClient.set(use.client, (perClient.get(use.client) ?? 0) + requests);
}

/** Whether two owners show the same client under a kind that sees both. */
export function sameClient(a: OwnerOnIp, b: OwnerOnIp): boolean {
  return a.clients.some((x) => b.clients.some((y) => x.kind === y.kind && x.client === y.client));
}

/** The entry with the greatest weight; of equals the smallest key, so that the order of rows does not matter. */
export function heaviest<K extends number | string>(weights: ReadonlyMap<K, number>): K | undefined {
  let best: K | undefined;
  let most = -Infinity;
  for (const [key, weight] of weights)
    if (weight > most || (weight === most && best !== undefined && key < best)) {
      best = key;
      most = weight;
    }
  return best;
}

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => Id): Map<Id, T[]> {
  const groups = new Map<Id, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
