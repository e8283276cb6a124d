import type { AccountType, Network, Permission } from './vocabulary.js';

/** A line of `keys.jsonl` (docs/formats.md). Times ISO 8601 in UTC. */
export interface KeyRecord {
  access_key: string;
  /** CI-like: one person is the same everywhere. Never leaves the member unblinded. */
  owner: string;
  account_type: AccountType;
  permissions: Permission[];
  allowed_ips: { ip: string; added_at: string; removed_at: string | null }[];
  created_at: string;
  expires_at: string | null;
}

/** A line of `usage.jsonl` (docs/formats.md). */
export interface UsageRecord {
  /** Start of the hour, ISO 8601 in UTC. */
  hour: string;
  access_key: string;
  ip: string;
  lists?: string[];
  network: Network;
  client: string;
  requests: number;
  orders: number;
  rejected: number;
  active_slots: number;
  burst_slots: number;
}

/** A line of `truth.jsonl`. */
export interface TruthRecord {
  member: string;
  access_key: string;
  segment: string;
  lent: boolean;
  onset: string | null;
}

/** The members of a population directory, in this order. */
export const POPULATION_MEMBERS = ['upbit', 'bithumb', 'coinone', 'korbit', 'gopax'] as const;
