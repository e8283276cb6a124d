import { rungRank, type Family, type Policy } from '@app/protocol';
import type { Assessment, Finding, SuppressedCrowd } from './assessment.js';
import { familyNats, priorScore, probabilityOf, protectionsOf, totalNats } from './combine.js';
import { DAY_SECONDS } from './decay.js';
import { coMovement, companyOf } from './detectors/co-movement.js';
import { concurrentUse } from './detectors/concurrent-use.js';
import { coRegistered } from './detectors/co-registered.js';
import { crossExchangeFanout } from './detectors/cross-exchange-fanout.js';
import { handover } from './detectors/handover.js';
import { lockstep, lockstepPartners, type LockstepPartner } from './detectors/lockstep.js';
import { offList } from './detectors/off-list.js';
import { rareClient } from './detectors/rare-client.js';
import { sharedEgress } from './detectors/shared-egress.js';
import { sharedIps, type SharedIp } from './detectors/shared-ips.js';
import type { Evidence } from './evidence.js';
import { climb, rawRung } from './ladder.js';
import type { Id, Neighbourhood } from './neighbourhood.js';
import { profileOf, type Profile } from './profile.js';
import { Scene } from './scene.js';

/**
 * Assesses every seed of which facts are known, in the order of the seeds. The same rows in any order give the same
 * result; rows dated after `asOf` are not seen.
 * @param asOf seconds since 1970
 */
export function assess(n: Neighbourhood, policy: Policy, asOf: number): Assessment[] {
  const scene = Scene.of(n, policy, asOf);
  const without = new Map<number, Scene>();
  const partners = lockstepPartners(scene);
  const assessments: Assessment[] = [];
  for (const seed of n.seeds) {
    const profile = profileOf(scene, seed);
    if (profile) assessments.push(assessKey(scene, without, profile, partners.get(seed) ?? []));
  }
  return assessments;
}

interface Examination {
  findings: Evidence[];
  shared: SharedIp[];
  families: Record<Family, number>;
}

function examine(scene: Scene, profile: Profile, allPartners: readonly LockstepPartner[]): Examination {
  const partners = allPartners.filter((partner) => scene.facts(partner.key));
  const company = companyOf(scene, profile);
  const alongside = new Set<Id>([...partners.map((p) => p.owner), ...company.movers.map((m) => m.owner)]);
  const shared = sharedIps(scene, profile, alongside);
  const findings = [
    coRegistered(scene, profile, shared),
    sharedEgress(scene, profile, shared),
    coMovement(scene, profile, company),
    crossExchangeFanout(scene, profile, shared),
    concurrentUse(scene, profile),
    handover(scene, profile, shared),
    offList(scene, profile),
    rareClient(scene, profile, partners, shared),
    lockstep(scene, partners, shared),
  ].filter((finding) => finding !== null);
  return { findings, shared, families: familyNats(findings, scene.policy) };
}

/**
 * Nats that rest on one other exchange beyond the policy's cap: the fall of the sum when that exchange's rows are
 * taken away, for the exchange on which most rests.
 */
function excessOfOneExchange(
  scene: Scene,
  without: Map<number, Scene>,
  profile: Profile,
  partners: readonly LockstepPartner[],
  whole: Examination,
): number {
  const cap = scene.policy.singleExchangeCap;
  const total = totalNats(whole.families, scene.policy);
  const others = new Set(whole.findings.flatMap((finding) => finding.exchanges));
  others.delete(profile.facts.member);
  let excess = 0;
  if (total <= cap) return excess;
  for (const member of others) {
    let rest = without.get(member);
    if (!rest) without.set(member, (rest = scene.without(member)));
    const remaining = totalNats(examine(rest, profile, partners).families, scene.policy);
    excess = Math.max(excess, total - remaining - cap);
  }
  return excess;
}

function assessKey(
  scene: Scene,
  without: Map<number, Scene>,
  profile: Profile,
  partners: readonly LockstepPartner[],
): Assessment {
  const { policy, asOf } = scene;
  const { key, facts, network } = profile;
  const examination = examine(scene, profile, partners);
  const { findings, shared, families } = examination;
  const exchangeCapNats = excessOfOneExchange(scene, without, profile, partners, examination);
  const sum = totalNats(families, policy) - exchangeCapNats;
  const memory = scene.memory(key);
  const protections = protectionsOf(facts, memory, policy, asOf, sum);
  const score = priorScore(policy) + sum - protections.reduce((total, p) => total + p.nats, 0);
  const probability = probabilityOf(score, network, policy);
  const evidenceDays = anchoredDays(findings, policy);
  const input = {
    probability,
    families,
    evidenceDays,
    protectedKey: protections.length > 0,
    probabilityWithoutOwn: () => {
      const elsewhere = examine(scene.without(facts.member, key), profile, partners);
      return probabilityOf(priorScore(policy) + totalNats(elsewhere.families, policy), network, policy);
    },
  };
  const raw = rawRung(input, memory, policy, asOf);
  const remembered = climb(key, raw, memory, policy, asOf);
  return {
    key,
    asOf,
    policyVersion: policy.version,
    probability,
    score,
    rung: remembered.rung,
    rawRung: raw,
    findings: findings.map(withoutDays).sort((a, b) => b.nats - a.nats || (a.code < b.code ? -1 : 1)),
    protections,
    families,
    exchangeCapNats,
    suppressed: suppressedCrowds(shared),
    network,
    window: windowOf(findings, scene),
    evidenceDays,
    memory: remembered,
  };
}

function anchoredDays(findings: readonly Evidence[], policy: Policy): number {
  const anchors = policy.ladder.expire.anchorFamilies;
  const days = new Set<number>();
  for (const finding of findings) if (anchors.includes(finding.family)) for (const day of finding.days) days.add(day);
  return days.size;
}

function withoutDays({ days: _days, ...finding }: Evidence): Finding {
  return finding;
}

function suppressedCrowds(shared: readonly SharedIp[]): SuppressedCrowd[] {
  const crowds: SuppressedCrowd[] = [];
  for (const { own, view, scale } of shared)
    if (view.crowd && scale === 0) crowds.push({ ip: own.ip, reason: view.crowd, owners: view.size, share: own.share });
  return crowds.sort((a, b) => b.share - a.share || a.ip - b.ip);
}

function windowOf(findings: readonly Evidence[], scene: Scene): { from: number; to: number } {
  const first = Math.min(...findings.map((finding) => finding.firstDay));
  const last = Math.max(...findings.map((finding) => finding.lastDay));
  const from = findings.length > 0 ? first : scene.asOfDay - scene.policy.lookBackDays + 1;
  const to = findings.length > 0 ? last : scene.asOfDay;
  return { from: from * DAY_SECONDS, to: (to + 1) * DAY_SECONDS };
}

/** Whether an assessment moved its key up the ladder: what makes a recommendation. */
export function rose(before: Assessment['memory'] | undefined, after: Assessment): boolean {
  return rungRank(after.rung) > rungRank(before?.rung ?? 'none');
}
