import type { Network } from '@app/protocol';
import { decay } from './decay.js';
import type { DayUse, Id, KeyFactsRow } from './neighbourhood.js';
import { accepted, heaviest, type Scene } from './scene.js';

/** One of a key's own addresses. */
export interface OwnIp {
  ip: Id;
  /** Share of the key's traffic, 0 to 1: the larger of the long and the recent share. */
  share: number;
  firstDay: number;
  lastDay: number;
  days: number[];
}

/** One key's own traffic, summed up once for every detector. */
export interface Profile {
  key: Id;
  facts: KeyFactsRow;
  uses: readonly DayUse[];
  /** Addresses with requests that were not refused, most traffic first. */
  ips: OwnIp[];
  network: Network;
  /** The client of most of its requests; undefined where it made none. */
  client: Id | undefined;
}

/** @returns undefined where nothing is known of the key */
export function profileOf(scene: Scene, key: Id): Profile | undefined {
  const facts = scene.facts(key);
  if (!facts) return undefined;
  const uses = scene.usesOf(key);
  const recentHalfLife = scene.policy.attribution.recentHalfLifeDays;
  const ips = new Map<Id, OwnIp & { long: number; recent: number }>();
  const networks = new Map<Network, number>();
  const clients = new Map<Id, number>();
  let long = 0;
  let recent = 0;
  for (const use of uses) {
    const requests = accepted(use);
    if (requests === 0) continue;
    const weight = requests * scene.decayOf(use.day);
    const recentWeight = requests * decay(scene.asOfDay - use.day, recentHalfLife);
    let entry = ips.get(use.ip);
    if (!entry) {
      entry = { ip: use.ip, share: 0, firstDay: use.day, lastDay: use.day, days: [], long: 0, recent: 0 };
      ips.set(use.ip, entry);
    }
    entry.long += weight;
    entry.recent += recentWeight;
    entry.lastDay = use.day;
    if (entry.days.at(-1) !== use.day) entry.days.push(use.day);
    long += weight;
    recent += recentWeight;
    networks.set(use.network, (networks.get(use.network) ?? 0) + weight);
    clients.set(use.client, (clients.get(use.client) ?? 0) + weight);
  }
  for (const entry of ips.values()) entry.share = Math.max(entry.long / long, entry.recent / recent);
  const sorted = [...ips.values()].sort((a, b) => b.share - a.share || a.ip - b.ip);
  return { key, facts, uses, ips: sorted, network: heaviest(networks) ?? 'unknown', client: heaviest(clients) };
}
