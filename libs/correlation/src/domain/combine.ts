import { calibrate, FAMILIES, type Family, type Network, type Policy } from '@app/protocol';
import type { Protection } from './assessment.js';
import type { Evidence } from './evidence.js';
import { DAY_SECONDS } from './decay.js';
import type { KeyFactsRow, KeyMemory } from './neighbourhood.js';

/** Per family: the strongest finding whole, the rest in part, capped. Nats. */
export function familyNats(findings: readonly Evidence[], policy: Policy): Record<Family, number> {
  const families: Record<Family, number> = { network: 0, key: 0, client: 0, sync: 0 };
  for (const family of FAMILIES) {
    let most = 0;
    let all = 0;
    for (const finding of findings) {
      if (finding.family !== family) continue;
      most = Math.max(most, finding.nats);
      all += finding.nats;
    }
    families[family] = Math.min(most + policy.familyRestShare * (all - most), policy.families[family].cap);
  }
  return families;
}

/** Whether alike timing stands without a sign of shared control: followers of one signal look like that, too. */
export function syncStandsAlone(families: Record<Family, number>, policy: Policy): boolean {
  return families.sync > 0 && Math.max(families.network, families.key) < policy.ladder.syncAlone.controlNats;
}

/** Sum of the families; sync and client together are capped where sync stands alone. */
export function totalNats(families: Record<Family, number>, policy: Policy): number {
  const alike = families.sync + families.client;
  const counted = syncStandsAlone(families, policy) ? Math.min(alike, policy.ladder.syncAlone.maxNats) : alike;
  return families.network + families.key + counted;
}

/** What counts in the key's favour, given the families' sum. */
export function protectionsOf(
  facts: KeyFactsRow,
  memory: KeyMemory | undefined,
  policy: Policy,
  asOf: number,
  familySum: number,
): Protection[] {
  const rule = policy.protections;
  const found: Protection[] = [];
  if (facts.accountType === 'aggregator') found.push({ code: 'AGGREGATOR', nats: rule.aggregator });
  if (facts.accountType === 'corporate') found.push({ code: 'CORPORATE', nats: rule.corporate });
  if (facts.accountType === 'market_maker') found.push({ code: 'MARKET_MAKER', nats: rule.marketMaker });
  const reverified = memory?.reverifiedAt ?? null;
  if (reverified !== null && reverified <= asOf && asOf - reverified <= rule.reverified.days * DAY_SECONDS)
    found.push({ code: 'REVERIFIED', nats: rule.reverified.nats });
  const readOnly = facts.permissions.length > 0 && facts.permissions.every((permission) => permission === 'read');
  if (readOnly && facts.accountType !== 'aggregator')
    found.push({ code: 'READ_ONLY', nats: (1 - rule.readOnlyScale) * familySum });
  return found;
}

/** The score of a key of which nothing is known: the logit of the prior. */
export function priorScore(policy: Policy): number {
  return Math.log(policy.priorProbability / (1 - policy.priorProbability));
}

/** The probability that a score means, for a key whose traffic is mostly of this network class. */
export function probabilityOf(score: number, network: Network, policy: Policy): number {
  return calibrate(policy.calibration[network], score);
}
