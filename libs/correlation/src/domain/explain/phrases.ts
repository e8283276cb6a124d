import type { DetectorCode, Family, Policy, RungOrNone } from '@app/protocol';
import type { Assessment, Finding } from '../assessment.js';
import type { CounterEvidence } from './counter-evidence.js';

/** One language's sentences. */
export interface Phrases {
  rung: Record<RungOrNone, string>;
  /** First line for an analyst. */
  headline(assessment: Assessment): string;
  period(from: string, to: string): string;
  policy(version: string): string;
  reasonsTitle: string;
  noReasons: string;
  againstTitle: string;
  clearTitle: string;
  /** What a finding means, with its counts in buckets. */
  reason: Record<DetectorCode, (finding: Finding) => string>;
  /** The strongest evidence against, as a sentence; with its nats where it has any. */
  against(evidence: CounterEvidence): string;
  /** What would clear evidence of a family. */
  clear: Record<Family, string>;
  /** What always helps: re-verification, and time. */
  clearAlways(policy: Policy): string;
  /** The short form for the customer: what happened, what it is not, what to do. */
  customer: {
    opening: Record<RungOrNone, string>;
    reason: Record<Family, string>;
    against(evidence: CounterEvidence): string;
    clear(families: Family[], policy: Policy): string;
    closing(from: string, to: string, version: string): string;
  };
}
