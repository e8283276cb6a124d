import type { Calibration, Policy } from './policy.js';

/** One curve for every network class until there are enough lent keys of each to fit them apart. */
const FITTED: Calibration = {
  kind: 'platt',
  slope: 1.35,
  intercept: 1.2,
  data: 'Final scores of simulated populations: distribution a, seeds 11 to 13, 1,500 owners, 28 days; rounded down.',
};

/**
 * The policy of the first standard. A published policy is never edited: the next one is a file of its own, published by
 * a migration of its own. docs/detection.md says where its numbers come from.
 */
export const POLICY_1_0_0: Policy = {
  version: '1.0.0',
  priorProbability: 0.01,
  halfLifeDays: 14,
  lookBackDays: 35,
  families: { network: { cap: 5 }, key: { cap: 3.5 }, client: { cap: 2.5 }, sync: { cap: 4 } },
  familyRestShare: 0.3,
  singleExchangeCap: 3,
  detectors: {
    N1: { cap: 3, weight: 1.2 },
    N2: { cap: 4.5, weight: 1.6 },
    N3: {
      cap: 4,
      weight: 1.4,
      minTrafficShare: 0.5,
      minPrefixes: 2,
      minHours: 24,
      minDays: 4,
      maxOverlapDays: 1,
      fullPartnerShare: 0.5,
    },
    N4: { cap: 4, weight: 1.2, minOwners: 3, minExchanges: 2 },
    K1: { cap: 3, weight: 2, minWindows: 6, minDays: 2, baselineDays: 4, noBaselineNats: 0.5 },
    K2: {
      cap: 2,
      minDaysBefore: 3,
      minDaysAfter: 2,
      maxOverlapDays: 1,
      minTrafficShare: 0.8,
      aloneScale: 0.3,
      bornScale: 0.7,
    },
    K3: { cap: 2.5, perDay: 0.2, dailyCap: 0.6, foreignNats: 2.5, activeDays: 7, staleScale: 0.3 },
    C1: { cap: 2.5, weight: 0.5, minPartners: 1 },
    S1: {
      cap: 4,
      minBursts: 20,
      minDays: 3,
      windowFrom: 0.08,
      windowFull: 0.35,
      hourFrom: 0.15,
      hourFull: 0.4,
      hourScale: 0.8,
      marketShare: 0.2,
      clockMinutes: 60,
    },
  },
  clientRatio: { strayProbability: 0.1, smoothingOwners: 20, fullNats: 1.5, unknownScale: 0.5 },
  sharingScale: { residential: 0.7, mobile: 0.75, hosting: 1.25, vpn: 1.1, unknown: 1 },
  crowd: { minOwners: 5, maxRatio: 0, minLists: 1, hidingShare: 0.3, hidingOwners: 2 },
  attribution: { minTrafficShare: 0.2, fullTrafficShare: 0.5, recentHalfLifeDays: 3, hostScale: 0.5 },
  protections: {
    aggregator: 6,
    corporate: 4,
    marketMaker: 4,
    reverified: { nats: 2, days: 30 },
    readOnlyScale: 0.3,
  },
  calibration: {
    residential: FITTED,
    mobile: FITTED,
    hosting: FITTED,
    vpn: FITTED,
    unknown: FITTED,
  },
  ladder: {
    probability: { monitor: 0.1, warn: 0.4, reverify: 0.8, expire: 0.98 },
    expire: {
      minFamilies: 2,
      minFamilyNats: 2,
      anchorFamilies: ['network', 'sync'],
      minDays: 3,
      minProbabilityElsewhere: 0.4,
    },
    syncAlone: { maxRung: 'monitor', maxNats: 3.2, controlNats: 1 },
    stepDownDays: 14,
    upheldWarnings: { count: 2, withinDays: 90 },
    expireAfterFailedReverification: 0.95,
    deadlineHours: { monitor: 168, warn: 72, reverify: 48, expire: 24 },
  },
  lockstepSearch: {
    lookBackDays: 14,
    maxKeysPerWindow: 1500,
    maxWindowsPerKey: 100,
    minSharedWindows: 5,
    minSharedShare: 0.05,
    maxCandidates: 40,
  },
  limits: { keysPerIp: 1500, ownersPerIpDay: 300 },
  reports: { suppressBelow: 5 },
  retention: { observationDays: 90, assessmentDays: 1095 },
  epochDays: 90,
};
