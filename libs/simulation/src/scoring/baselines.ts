import type { KeyRecord, UsageRecord } from '@app/protocol';
import { keyId } from './judge.js';
import type { BaselineName, BaselineScore, BaselineScores } from './types.js';

/** Addresses of more owners than this are dropped by the capped variant (MISP's cut-off for over-correlating values). */
const CROWD = 20;
/** Fewest flagged keys for which a precision is worth naming. */
const FEWEST_FLAGGED = 10;

/**
 * What a member would try first, on a population's own records, all exchanges together:
 * - `owners_per_ip`: the most owners on any address that the key was used from;
 * - `connected_components`: owners in the key's component, where keys are joined by addresses;
 * - `connected_components_capped`: the same without addresses of more than 20 owners.
 * Give it all keys of a member before that member's usage.
 */
export class BaselineCollector {
  private readonly owners = new Map<string, number>();
  private readonly keys: { id: string; owner: number; ips: Set<number> }[] = [];
  private readonly places = new Map<string, number>();
  private readonly addresses = new Map<string, number>();
  private readonly ownersOf: Set<number>[] = [];

  key(member: string, record: Pick<KeyRecord, 'access_key' | 'owner'>): void {
    const id = keyId(member, record.access_key);
    this.places.set(id, this.keys.length);
    this.keys.push({ id, owner: number(this.owners, record.owner), ips: new Set() });
  }

  /** A row of an unknown key is passed over. */
  usage(member: string, record: Pick<UsageRecord, 'access_key' | 'ip'>): void {
    const place = this.places.get(keyId(member, record.access_key));
    if (place === undefined) return;
    const key = this.keys[place]!;
    const ip = number(this.addresses, record.ip);
    if (key.ips.has(ip)) return;
    key.ips.add(ip);
    (this.ownersOf[ip] ??= new Set()).add(key.owner);
  }

  scores(): BaselineScores {
    const perIp = new Map<string, number>();
    for (const { id, ips } of this.keys) perIp.set(id, Math.max(0, ...[...ips].map((ip) => this.ownersOf[ip]!.size)));
    return {
      owners_per_ip: perIp,
      connected_components: this.components(Infinity),
      connected_components_capped: this.components(CROWD),
    };
  }

  /** Owners in each key's component, over addresses of at most `most` owners. */
  private components(most: number): Map<string, number> {
    const parent = Array.from({ length: this.owners.size }, (_, owner) => owner);
    const root = (owner: number): number => {
      let at = owner;
      while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
      return at;
    };
    for (const owners of this.ownersOf) {
      if (!owners || owners.size > most) continue;
      const [first, ...rest] = owners;
      for (const owner of rest) parent[root(owner)] = root(first as number);
    }
    const sizes = new Map<number, number>();
    for (let owner = 0; owner < parent.length; owner++) sizes.set(root(owner), (sizes.get(root(owner)) ?? 0) + 1);
    return new Map(this.keys.map(({ id, owner }) => [id, sizes.get(root(owner)) ?? 1]));
  }
}

function number(map: Map<string, number>, value: string): number {
  let found = map.get(value);
  if (found === undefined) map.set(value, (found = map.size));
  return found;
}

interface Threshold {
  threshold: number;
  precision: number;
  recall: number;
}

/** Precision and recall of "score at least t", for every t that some key has, highest first. */
function curve(keys: readonly { score: number; lent: boolean }[]): (Threshold & { flagged: number })[] {
  const sorted = [...keys].sort((a, b) => b.score - a.score);
  const lent = keys.filter((key) => key.lent).length;
  const points: (Threshold & { flagged: number })[] = [];
  let right = 0;
  sorted.forEach(({ score, lent: hit }, place) => {
    if (hit) right++;
    if (sorted[place + 1]?.score === score) return;
    points.push({
      threshold: score,
      precision: right / (place + 1),
      recall: lent > 0 ? right / lent : 0,
      flagged: place + 1,
    });
  });
  return points;
}

/** The threshold of highest recall at no less than this precision; null where none reaches it. */
export function recallAtPrecision(
  keys: readonly { score: number; lent: boolean }[],
  precision: number,
): Threshold | null {
  const reached = curve(keys).filter((point) => point.precision >= precision);
  const found = reached.at(-1);
  return found ? { threshold: found.threshold, precision: found.precision, recall: found.recall } : null;
}

/** One naive classifier: its best precision, and its recall at the precision that it is matched to. */
export function matchBaseline(
  name: BaselineName,
  keys: readonly { score: number; lent: boolean }[],
  precision: number | null,
): BaselineScore {
  const fewest = Math.min(FEWEST_FLAGGED, keys.filter((key) => key.lent).length);
  let best: BaselineScore['best'] = null;
  for (const { threshold, precision: reached, recall, flagged } of curve(keys))
    if (flagged >= Math.max(1, fewest) && (best === null || reached > best.precision))
      best = { threshold, precision: reached, recall };
  return { name, best, matched: precision === null ? null : recallAtPrecision(keys, precision) };
}
