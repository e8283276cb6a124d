/**
 * The detectors' codes. A code is never renamed or reused: recommendations, reports and precision figures carry it.
 * Families bound how much alike evidence can add up to (policy `families`).
 */
export const FAMILIES = ['network', 'key', 'client', 'sync'] as const;
/** A group of detectors whose evidence overlaps. */
export type Family = (typeof FAMILIES)[number];

/** What sees the evidence: the exchange that holds the key alone, or only several together. */
export type Scope = 'key' | 'all_exchanges' | 'cross_exchange';

export const DETECTORS = {
  N1: { name: 'CO_REGISTERED', family: 'network', scope: 'all_exchanges' },
  N2: { name: 'SHARED_EGRESS', family: 'network', scope: 'all_exchanges' },
  N3: { name: 'CO_MOVEMENT', family: 'network', scope: 'all_exchanges' },
  N4: { name: 'CROSS_EXCHANGE_FANOUT', family: 'network', scope: 'cross_exchange' },
  K1: { name: 'CONCURRENT_USE', family: 'key', scope: 'key' },
  K2: { name: 'HANDOVER', family: 'key', scope: 'key' },
  K3: { name: 'OFF_LIST', family: 'key', scope: 'all_exchanges' },
  C1: { name: 'RARE_CLIENT', family: 'client', scope: 'all_exchanges' },
  S1: { name: 'LOCKSTEP', family: 'sync', scope: 'all_exchanges' },
} as const satisfies Record<string, { name: string; family: Family; scope: Scope }>;

/** A detector's stable code. */
export type DetectorCode = keyof typeof DETECTORS;

/** Every code, in the order in which findings are shown. */
export const DETECTOR_CODES = Object.keys(DETECTORS) as DetectorCode[];

/** What counts in a key's favour; each weighs what the policy's `protections` say. */
export const PROTECTION_CODES = ['AGGREGATOR', 'CORPORATE', 'MARKET_MAKER', 'REVERIFIED', 'READ_ONLY'] as const;
export type ProtectionCode = (typeof PROTECTION_CODES)[number];
