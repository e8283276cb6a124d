import type { DetectorCode, Family, Network, ProtectionCode, RungOrNone } from '@app/protocol';
import type { Id, KeyMemory } from './neighbourhood.js';

/** One detector's result for one key. */
export interface Finding {
  code: DetectorCode;
  family: Family;
  /** What it adds before the family's cap; nats, above 0. */
  nats: number;
  /** What was counted: `owners`, `exchanges`, `ips`, `days`, `windows`, … Exact; shown in buckets only. */
  counts: Record<string, number>;
  /** Exchanges that hold the other keys concerned, the key's own included where it holds one of them; ascending. */
  exchanges: number[];
  /** Days since 1970 of the first and the last evidence. */
  firstDay: number;
  lastDay: number;
}

/** What counted in the key's favour. `nats` is what it took off the score. */
export interface Protection {
  code: ProtectionCode;
  nats: number;
}

/** Why an address of the key was left out of account. */
export type CrowdReason = 'warning_list' | 'unrelated_clients' | 'too_many_keys';

/** An address that unrelated people share: shown, not scored. */
export interface SuppressedCrowd {
  ip: Id;
  reason: CrowdReason;
  /** Distinct owners on it (distinct keys where there were too many to load). */
  owners: number;
  /** Share of the key's traffic that came from it, 0 to 1. */
  share: number;
}

/** A key's probability, rung and findings at a time, with the policy that made them. */
export interface Assessment {
  key: Id;
  /** Seconds since 1970. */
  asOf: number;
  policyVersion: string;
  /** Calibrated probability that the key is lent, 0 to 1. */
  probability: number;
  /** Prior plus families minus protections; nats. */
  score: number;
  /** The rung after the ladder's memory. */
  rung: RungOrNone;
  /** The rung that the evidence of now supports by itself. */
  rawRung: RungOrNone;
  /** Strongest first. */
  findings: Finding[];
  protections: Protection[];
  /** Nats per family after caps and before protections. */
  families: Record<Family, number>;
  /** Nats taken off because they rested on one other exchange. */
  exchangeCapNats: number;
  /** Crowds among the key's addresses, most traffic first. */
  suppressed: SuppressedCrowd[];
  /** Network class of most of the key's traffic. */
  network: Network;
  /** Seconds: start of the first day and end of the last day of the evidence; the look-back where there is none. */
  window: { from: number; to: number };
  /** Distinct days of network and sync evidence. */
  evidenceDays: number;
  /** To be stored and given to the next assessment of this key. */
  memory: KeyMemory;
}
