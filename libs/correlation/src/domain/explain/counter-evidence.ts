import type { Family, Policy, ProtectionCode } from '@app/protocol';
import type { Assessment, CrowdReason } from '../assessment.js';

/** What speaks most against the key being lent. There is always something: most keys are not. */
export type CounterEvidence =
  | { kind: 'protection'; code: ProtectionCode; nats: number }
  | { kind: 'one_exchange'; nats: number }
  | { kind: 'crowd'; reason: CrowdReason; share: number }
  | { kind: 'few_days'; days: number; needed: number }
  | { kind: 'absent_family'; family: Family; nats: number }
  | { kind: 'prior'; probability: number };

/** Nats below which a family says nothing worth the word. */
const SILENT_NATS = 0.1;

/** The strongest: what was taken off the score first, then what was left out, then what was looked for and not found. */
export function strongestAgainst(assessment: Assessment, policy: Policy): CounterEvidence {
  const [protection] = [...assessment.protections].sort((a, b) => b.nats - a.nats);
  const capped = assessment.exchangeCapNats;
  if (protection && protection.nats >= capped && protection.nats > 0) return { kind: 'protection', ...protection };
  if (capped > 0) return { kind: 'one_exchange', nats: capped };
  const crowd = assessment.suppressed[0];
  if (crowd && crowd.share >= policy.attribution.minTrafficShare)
    return { kind: 'crowd', reason: crowd.reason, share: crowd.share };
  const { minDays } = policy.ladder.expire;
  if (assessment.evidenceDays > 0 && assessment.evidenceDays < minDays)
    return { kind: 'few_days', days: assessment.evidenceDays, needed: minDays };
  // Clients that spoke through a shared address are silent in the client family: that is no evidence against.
  const silent = (family: Family): boolean =>
    assessment.families[family] < SILENT_NATS && !(family === 'client' && assessment.families.network > 0);
  const absent = (Object.keys(assessment.families) as Family[])
    .filter(silent)
    .sort((a, b) => policy.families[b].cap - policy.families[a].cap);
  if (absent[0]) return { kind: 'absent_family', family: absent[0], nats: policy.families[absent[0]].cap };
  return { kind: 'prior', probability: policy.priorProbability };
}
