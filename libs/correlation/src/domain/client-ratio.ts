import type { ClientRatioPolicy, Network } from '@app/protocol';
import { clamp } from './decay.js';
import type { Id, Neighbourhood } from './neighbourhood.js';

/** A client as one kind of fingerprint shows it. */
export interface ClientSeen {
  kind: number;
  client: Id;
}

/** How common each client is among owners, per network class, over everything. */
export class ClientBaseRates {
  private readonly perNetwork = new Map<string, number>();
  private readonly overall = new Map<Id, number>();
  private readonly owners = new Map<string, number>();
  private readonly allOwners = new Map<number, number>();
  private readonly kindOf = new Map<Id, number>();

  constructor(
    source: Pick<Neighbourhood, 'clientOwners' | 'networkOwners'>,
    private readonly policy: ClientRatioPolicy,
  ) {
    for (const { client, network, owners, kind } of source.clientOwners) {
      this.perNetwork.set(`${network}/${client}`, owners);
      this.overall.set(client, (this.overall.get(client) ?? 0) + owners);
      if (kind === undefined) continue;
      this.kindOf.set(client, kind);
      this.owners.set(`${network}/${kind}`, (this.owners.get(`${network}/${kind}`) ?? 0) + owners);
      this.allOwners.set(kind, (this.allOwners.get(kind) ?? 0) + owners);
    }
    let all = 0;
    for (const [network, owners] of source.networkOwners) {
      this.owners.set(network, owners);
      all += owners;
    }
    this.allOwners.set(ALL_KINDS, all);
  }

  /**
   * Probability that an unrelated owner in `network` shows `client`, with a group taken out of the count, so that an
   * operator's own customers do not make its program look common.
   * @param without owners in the group, and those of them that show the client
   */
  rate(client: Id, network: Network, without: { owners: number; showing: number }): number {
    const kind = this.kindOf.get(client);
    const allOwners = this.allOwners.get(kind ?? ALL_KINDS) ?? 0;
    const networkOwners = this.owners.get(kind === undefined ? network : `${network}/${kind}`) ?? 0;
    const overallShowing = Math.max((this.overall.get(client) ?? 0) - without.showing, 0) + 0.5;
    const overall = Math.min(overallShowing / (Math.max(allOwners - without.owners, 0) + 1), 1);
    const showing = Math.max((this.perNetwork.get(`${network}/${client}`) ?? 0) - without.showing, 0);
    const owners = Math.max(networkOwners - without.owners, showing);
    const weight = this.policy.smoothingOwners;
    return clamp((showing + weight * overall) / (owners + weight), 1e-9, 0.999);
  }
}

const ALL_KINDS = -1;

/** The clients that owners show under one kind of fingerprint, and how likely each is elsewhere. */
interface KindMix {
  owners: number;
  perClient: Map<Id, { owners: number; rate: number }>;
}

/** The clients of an IP's owners. An owner counts once under each kind that sees it. */
export type ClientMix = ReadonlyMap<number, KindMix>;

/** @param owners for each owner the clients it shows, at most one per kind */
export function clientMix(
  owners: Iterable<readonly ClientSeen[]>,
  network: Network,
  rates: ClientBaseRates,
): ClientMix {
  const mix = new Map<number, KindMix>();
  for (const seen of owners)
    for (const { kind, client } of seen) {
      let part = mix.get(kind);
      if (!part) mix.set(kind, (part = { owners: 0, perClient: new Map() }));
      part.owners++;
      const entry = part.perClient.get(client);
      if (entry) entry.owners++;
      else part.perClient.set(client, { owners: 1, rate: 0 });
    }
  for (const part of mix.values())
    for (const [client, entry] of part.perClient)
      entry.rate = rates.rate(client, network, { owners: part.owners, showing: entry.owners });
  return mix;
}

/**
 * ln of P(clients | one operator runs one program) / P(clients | unrelated users) under one kind, nats. One program:
 * some client, drawn from the base rates, is shown by every owner but the `stray` who show one of the base rates.
 * @param less a client of which one owner is to be left out
 */
function kindLogRatio(part: KindMix, stray: number, less?: Id): number {
  const total = part.owners - (less === undefined ? 0 : 1);
  if (total < 2) return 0;
  let best = -Infinity;
  const terms: number[] = [];
  for (const [client, { owners, rate }] of part.perClient) {
    const showing = client === less ? owners - 1 : owners;
    const term =
      Math.log(rate) + showing * Math.log((1 - stray + stray * rate) / rate) + (total - showing) * Math.log(stray);
    terms.push(term);
    if (term > best) best = term;
  }
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - best);
  return best + Math.log(sum);
}

/** Owners beyond the first under each kind: the comparisons that a mix allows. */
function extras(mix: ClientMix): number {
  let count = 0;
  for (const part of mix.values()) count += part.owners - 1;
  return count;
}

/** ρ: the client log ratio per extra owner; null where no two owners' clients compare. */
export function clientRatio(mix: ClientMix, stray: number): number | null {
  const comparisons = extras(mix);
  if (comparisons === 0) return null;
  let sum = 0;
  for (const part of mix.values()) sum += kindLogRatio(part, stray);
  return sum / comparisons;
}

/** What one owner adds to the group's log ratio, per kind that compares it: the group's fall without it; else null. */
export function ownContribution(mix: ClientMix, stray: number, own: readonly ClientSeen[]): number | null {
  let sum = 0;
  let kinds = 0;
  for (const { kind, client } of own) {
    const part = mix.get(kind);
    if (!part || part.owners < 2) continue;
    sum += kindLogRatio(part, stray) - kindLogRatio(part, stray, client);
    kinds++;
  }
  return kinds === 0 ? null : sum / kinds;
}

/**
 * The same question for the owners who show the same clients as one of them, among many who do not: how far their
 * number exceeds what the base rate explains (Poisson log likelihood ratio), per extra owner; 0 where it does not. It
 * finds an operator among the users of a carrier's address, where the ratio over everyone says unrelated.
 */
export function subgroupRatio(mix: ClientMix, own: readonly ClientSeen[]): number {
  let sum = 0;
  let extra = 0;
  for (const { kind, client } of own) {
    const part = mix.get(kind);
    const entry = part?.perClient.get(client);
    if (!part || !entry || entry.owners < 2) continue;
    const expected = part.owners * entry.rate;
    if (entry.owners <= expected) continue;
    sum += entry.owners * Math.log(entry.owners / expected) - (entry.owners - expected);
    extra += entry.owners - 1;
  }
  return extra === 0 ? 0 : sum / extra;
}
