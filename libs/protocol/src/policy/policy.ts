import type { Network, Rung } from '../vocabulary.js';
import type { Family } from './detectors.js';

/**
 * The machine-readable part of the standard: every number that decides what a key's evidence is worth and what follows
 * from it. The rules in libs/correlation hold none of their own. Evidence is in nats (natural-log units) throughout.
 * Units, ranges and sources of every field: {@link file://./policy-schema.ts}.
 */
export interface Policy {
  /** Version of this policy, `major.minor.patch`. */
  version: string;
  /** Probability that a key is lent before any evidence. */
  priorProbability: number;
  /** Evidence loses half its weight in this many days. */
  halfLifeDays: number;
  /** Days of observations an assessment looks at, counted back from its time. */
  lookBackDays: number;
  /** Most nats that each family of detectors may add. */
  families: Record<Family, { cap: number }>;
  /** Within a family the strongest finding counts whole, the others this share. */
  familyRestShare: number;
  /** Most nats that may rest on any one exchange other than the key's own. */
  singleExchangeCap: number;
  detectors: DetectorPolicies;
  clientRatio: ClientRatioPolicy;
  /**
   * Factor on the evidence of an address that several owners share, by its network class: innocent people share homes
   * and carriers, hardly ever a rented server with one rare program.
   */
  sharingScale: Record<Network, number>;
  crowd: CrowdPolicy;
  attribution: {
    /** A group's evidence is not a key's own below this share of the key's traffic. */
    minTrafficShare: number;
    /** From this share on it counts whole; below in proportion. */
    fullTrafficShare: number;
    /** Half-life of the traffic that a recent share is taken over, days. The larger of it and the long share counts. */
    recentHalfLifeDays: number;
    /**
     * Factor on a group's evidence, its lockstep too, at an address that the key's owner registered before everyone
     * else in the group: who lends a machine out is not who lends a key.
     */
    hostScale: number;
  };
  protections: ProtectionPolicy;
  /** From score to probability, per network class of the key's traffic. */
  calibration: Record<Network, Calibration>;
  ladder: LadderPolicy;
  /** How lockstep partners are searched. */
  lockstepSearch: LockstepSearchPolicy;
  limits: {
    /** Most keys loaded of one IP; an IP with more is a crowd. */
    keysPerIp: number;
    /** Most owners of one IP and day that are compared pair by pair. */
    ownersPerIpDay: number;
  };
  reports: {
    /** A cell of a report below this count is suppressed. */
    suppressBelow: number;
  };
  retention: {
    /** Days that observations are kept. */
    observationDays: number;
    /** Days that assessments and recommendations are kept. */
    assessmentDays: number;
  };
  /** Days that one blinding key is in use. */
  epochDays: number;
}

/** How much each detector may say. `cap` is in nats; 0 switches it off. */
export interface DetectorPolicies {
  /** Other owners have registered an address that the key uses: `weight · ln(1 + owners)`, scaled by the client ratio. */
  N1: { cap: number; weight: number };
  /** Other owners send from the key's addresses: sum over IPs of traffic share × `weight · ln(1 + owners)` × ratio. */
  N2: { cap: number; weight: number };
  /** Owners that move together over several addresses: `weight · ln(1 + partners)` × the key's shared traffic. */
  N3: {
    cap: number;
    weight: number;
    minTrafficShare: number;
    minPrefixes: number;
    minHours: number;
    minDays: number;
    /** Days in which one address and its successor may both be in use. */
    maxOverlapDays: number;
    /** Of the other owners on the key's addresses, the share that must move along for the whole weight. */
    fullPartnerShare: number;
  };
  /** Owners with several exchanges each on one address: `weight · ln(owners)`. */
  N4: { cap: number; weight: number; minOwners: number; minExchanges: number };
  /** The key trades from two networks and clients at once, more than it used to. */
  K1: {
    cap: number;
    /** Nats per ten-fold rise of the concurrent share over the baseline. */
    weight: number;
    minWindows: number;
    minDays: number;
    baselineDays: number;
    /** What concurrent use is worth where no earlier days are known. */
    noBaselineNats: number;
  };
  /** A new address and client take over as the old ones vanish. */
  K2: {
    cap: number;
    minDaysBefore: number;
    minDaysAfter: number;
    maxOverlapDays: number;
    minTrafficShare: number;
    aloneScale: number;
    bornScale: number;
  };
  /** Validly signed requests from an address that the key had not registered. */
  K3: { cap: number; perDay: number; dailyCap: number; foreignNats: number; activeDays: number; staleScale: number };
  /** A client shared within a lockstep or co-moving group beyond its base rate. */
  C1: { cap: number; weight: number; minPartners: number };
  /** Order bursts of different owners in the same rare windows. */
  S1: {
    cap: number;
    minBursts: number;
    minDays: number;
    /** Similarity (Jaccard minus one standard error) at which evidence begins and is full, 5-minute windows. */
    windowFrom: number;
    windowFull: number;
    /** The same for whole hours. */
    hourFrom: number;
    hourFull: number;
    /** Most of the full nats that hours alone can reach. */
    hourScale: number;
    /** A window in which more than this share of the day's keys burst is market-wide: dropped. */
    marketShare: number;
    /** Windows whose start is a multiple of this many minutes are clock-aligned: dropped; 0 drops none. */
    clockMinutes: number;
  };
}

/**
 * ρ, the client likelihood ratio of an IP: ln of (probability that its owners' clients come from one program) /
 * (probability under the base rates of the network class), per extra owner.
 */
export interface ClientRatioPolicy {
  /** Probability that an owner served by one operator nevertheless shows another client. */
  strayProbability: number;
  /** Owners' worth of weight that the base rates over all networks have within one network class. */
  smoothingOwners: number;
  /** Nats per extra owner at which evidence counts whole; it counts nothing at 0 or below. */
  fullNats: number;
  /** How far evidence counts where no two owners' clients compare. */
  unknownScale: number;
}

/** When many owners on an address say nothing because unrelated people share it. */
export interface CrowdPolicy {
  /** From this many owners on, an IP whose ratio says unrelated is a crowd. */
  minOwners: number;
  /** Ratio, nats per extra owner, at or below which the owners are unrelated. */
  maxRatio: number;
  /** Warning lists an address must be on to be a crowd. */
  minLists: number;
  /** Share of the other owners in lockstep or co-movement with the key that makes it an operator hiding, no crowd. */
  hidingShare: number;
  /** And at least this many of them. */
  hidingOwners: number;
}

/** What counts in a key's favour. Nats, subtracted from the score. */
export interface ProtectionPolicy {
  aggregator: number;
  corporate: number;
  marketMaker: number;
  reverified: { nats: number; days: number };
  /** The families' sum of a read-only key that is not an aggregator's is multiplied by this. */
  readOnlyScale: number;
}

/**
 * From a score in nats to a probability. `logistic`: 1 / (1 + e^-score). `platt`: 1 / (1 + e^-(slope·score + intercept)).
 * `isotonic`: linear between points [score, probability], both rising, flat outside.
 */
export type Calibration =
  | { kind: 'logistic' }
  | { kind: 'platt'; slope: number; intercept: number; data: string }
  | { kind: 'isotonic'; points: [number, number][]; data: string };

/** The rungs: what each needs, how a key comes down, and what follows. */
export interface LadderPolicy {
  /** Probability from which each rung is reached. */
  probability: Record<Rung, number>;
  expire: {
    /** Families that must each reach `minFamilyNats`. */
    minFamilies: number;
    minFamilyNats: number;
    /** One of them must be among these. */
    anchorFamilies: Family[];
    /** Distinct days of that evidence. */
    minDays: number;
    /** Probability that must remain without the other keys of the key's own exchange: none expires on one's word. */
    minProbabilityElsewhere: number;
  };
  /** Sync evidence, alone or with a shared client, cannot tell a farm from followers of one signal. */
  syncAlone: {
    /** Highest rung until network or key evidence reaches `controlNats`. */
    maxRung: Rung;
    /** Most that sync and client evidence add together until then, nats. */
    maxNats: number;
    controlNats: number;
  };
  /** A key steps down one rung after this many clean days. */
  stepDownDays: number;
  /** So many warnings upheld within so many days: the next starts at re-verification. */
  upheldWarnings: { count: number; withinDays: number };
  /** Probability for expiry once a re-verification failed or was ignored. */
  expireAfterFailedReverification: number;
  /** Hours in which the member should act on each rung. */
  deadlineHours: Record<Rung, number>;
}

/** Bounds on the search for lockstep partners: an inverted index over windows in which few keys burst. */
export interface LockstepSearchPolicy {
  /** Days of bursts searched. */
  lookBackDays: number;
  /** A window in which more keys burst is not searched through. */
  maxKeysPerWindow: number;
  /** Most windows searched per key, rarest first. */
  maxWindowsPerKey: number;
  /** Windows that two keys must share to become candidates. */
  minSharedWindows: number;
  /** And at least this share of the windows searched. */
  minSharedShare: number;
  /** Most candidates per key, most shared first. */
  maxCandidates: number;
}
