/**
 * Every assumption of the simulator, in one place and in two sets. `a` follows the project's figures for fitting; `b`
 * was chosen without looking at the detectors, to judge what was fitted on `a`: other shares, lifetimes, sizes, tempers.
 */

/** Kinds of people and of lending that a population mixes; a share counts owners. */
export const MIX_NAMES = [
  'home_bot',
  'own_vps',
  'several_servers',
  'mobile_nat',
  'office_nat',
  'vpn_exit',
  'cloud_nat',
  'tracker',
  'household',
  'signal_follower',
  'corporate',
  'operator',
  'lend_pair',
  'farm',
  'evasive',
  'relay',
  'operator_rotating',
  'operator_shuffled',
  'operator_framing',
  'operator_ramp',
  'operator_split',
  'operator_camouflage',
  'operator_reissue',
  'operator_large',
  'lying_exchange',
] as const;
export type MixName = (typeof MIX_NAMES)[number];
export type Mix = Record<MixName, number>;

/** Lognormal by median and the standard deviation of the logarithm. */
export interface Spread {
  median: number;
  sigma: number;
}

export interface Distribution {
  /** Shares of owners; scaled to sum to 1. */
  mix: Mix;
  /** Probability of being on 1, 2, … 5 exchanges. */
  memberships: readonly number[];
  /** Popularity of the members, in the order of POPULATION_MEMBERS. */
  memberWeights: readonly number[];
  /** What each member fingerprints clients by, in the same order. */
  clientKinds: readonly ('ja4' | 'ua')[];
  /** Further keys of an account: Poisson mean. */
  extraKeys: number;
  /** Life of a home address, days. */
  homeLease: Spread;
  /** Hours from a new address to its registration, log-uniform between the two. */
  registrationDelay: readonly [number, number];
  /** Share of people who leave old addresses registered. */
  staleShare: number;
  /** Share of movers among home bots, servers and several servers. */
  moverShare: number;
  /** Share of new addresses that somebody else gave up before. */
  recycledShare: number;
  /** Share of addresses in IPv6 where the network offers it. */
  ipv6Share: number;
  /** Weights of activity: always on, waking hours, sessions, sparse polling. */
  schedules: readonly [number, number, number, number];
  /** Weights of a person's client: default library, community bot, own program. */
  clients: readonly [number, number, number];
  /** Share of default-library clients in cloud NAT. */
  cloudDefault: number;
  /** Exponent of the popularity of libraries and versions: higher is more concentrated. */
  clientZipf: number;
  /** Order bursts a day of a person's own strategy, and of a shared one. */
  ownBursts: Spread;
  sharedBursts: Spread;
  /** Requests a 5-minute window. */
  requestRate: Spread;
  /** Market-wide bursts a day, and the share of lanes that ever follow them. */
  marketEvents: number;
  marketFollowers: number;
  /** Share of traders who run a public indicator, and how often each acts on its sign. */
  publicStrategy: { share: number; follow: number };
  /** Share of bots on a clock (hourly, four-hourly, daily candles). */
  clockShare: number;
  /** Owners for each address of a shared network; who registers several meets more people than this. */
  ownersPerAddress: { mobile: number; office: Spread; vpn: number; cloud: number };
  /** Keys of an operator, of a farm, of an evasive operator. */
  operatorKeys: Spread;
  farmKeys: Spread;
  evasiveKeys: Spread;
  lockstepShare: number;
  /** How often a lent key follows a burst of its operator: between the two. */
  follow: readonly [number, number];
  farmFollow: number;
  /** Share of operators with a default-library client. */
  operatorDefaultClient: number;
  /** Share of customers lent from the start; the others come during the first three quarters. */
  lentFromStart: number;
  /** Share of lenders who go on using their key. */
  lenderKeepsUsing: number;
  /** Share of borrowers refused before the lender registers their machine, and for how many hours. */
  refusedShare: number;
  refusedHours: Spread;
  /** Days between shared outages of one operator. */
  operatorOutageDays: number;
}

const A: Distribution = {
  mix: {
    home_bot: 36.05,
    own_vps: 24,
    several_servers: 5,
    mobile_nat: 6,
    office_nat: 5,
    vpn_exit: 3,
    cloud_nat: 6,
    tracker: 8,
    household: 1.5,
    signal_follower: 1.5,
    corporate: 0.2,
    operator: 1.2,
    lend_pair: 0.5,
    farm: 0.3,
    evasive: 0.2,
    relay: 0.1,
    operator_rotating: 0.3,
    operator_shuffled: 0.2,
    operator_framing: 0.15,
    operator_ramp: 0.2,
    operator_split: 0.25,
    operator_camouflage: 0.15,
    operator_reissue: 0.15,
    operator_large: 0,
    lying_exchange: 0.05,
  },
  memberships: [0.62, 0.25, 0.09, 0.03, 0.01],
  memberWeights: [0.44, 0.3, 0.12, 0.08, 0.06],
  clientKinds: ['ja4', 'ja4', 'ua', 'ua', 'ua'],
  extraKeys: 0.3,
  homeLease: { median: 30, sigma: 0.9 },
  registrationDelay: [1, 48],
  staleShare: 0.25,
  moverShare: 0.02,
  recycledShare: 0.01,
  ipv6Share: 0.06,
  schedules: [0.46, 0.24, 0.2, 0.1],
  clients: [0.52, 0.3, 0.18],
  cloudDefault: 0.6,
  clientZipf: 1,
  ownBursts: { median: 2.5, sigma: 0.9 },
  sharedBursts: { median: 6, sigma: 0.5 },
  requestRate: { median: 22, sigma: 1.3 },
  marketEvents: 5,
  marketFollowers: 0.4,
  publicStrategy: { share: 0.05, follow: 0.25 },
  clockShare: 0.12,
  ownersPerAddress: { mobile: 10, office: { median: 7, sigma: 0.6 }, vpn: 7, cloud: 9 },
  operatorKeys: { median: 20, sigma: 0.8 },
  farmKeys: { median: 14, sigma: 0.5 },
  evasiveKeys: { median: 10, sigma: 0.4 },
  lockstepShare: 0.7,
  follow: [0.82, 0.97],
  farmFollow: 0.9,
  operatorDefaultClient: 0.5,
  lentFromStart: 0.4,
  lenderKeepsUsing: 0.5,
  refusedShare: 1 / 3,
  refusedHours: { median: 12, sigma: 1 },
  operatorOutageDays: 9,
};

const B: Distribution = {
  ...A,
  mix: {
    ...A.mix,
    home_bot: 28,
    own_vps: 27,
    several_servers: 7,
    mobile_nat: 8,
    office_nat: 6,
    vpn_exit: 5,
    cloud_nat: 7,
    tracker: 5,
    household: 2.5,
    signal_follower: 2.5,
    corporate: 0.4,
    operator: 0.9,
    lend_pair: 0.8,
    farm: 0.4,
    evasive: 0.25,
  },
  memberships: [0.5, 0.31, 0.13, 0.045, 0.015],
  memberWeights: [0.36, 0.34, 0.14, 0.08, 0.08],
  clientKinds: ['ua', 'ja4', 'ua', 'ua', 'ja4'],
  extraKeys: 0.45,
  homeLease: { median: 12, sigma: 1.3 },
  registrationDelay: [0.3, 90],
  staleShare: 0.38,
  moverShare: 0.04,
  recycledShare: 0.025,
  ipv6Share: 0.14,
  schedules: [0.36, 0.26, 0.24, 0.14],
  clients: [0.62, 0.16, 0.22],
  cloudDefault: 0.72,
  clientZipf: 1.35,
  ownBursts: { median: 1.6, sigma: 1.3 },
  sharedBursts: { median: 4.5, sigma: 0.8 },
  requestRate: { median: 9, sigma: 1.7 },
  marketEvents: 9,
  marketFollowers: 0.55,
  publicStrategy: { share: 0.09, follow: 0.35 },
  clockShare: 0.2,
  ownersPerAddress: { mobile: 6, office: { median: 5, sigma: 0.9 }, vpn: 4, cloud: 14 },
  operatorKeys: { median: 13, sigma: 1 },
  farmKeys: { median: 10, sigma: 0.7 },
  evasiveKeys: { median: 7, sigma: 0.5 },
  lockstepShare: 0.55,
  follow: [0.6, 0.95],
  farmFollow: 0.82,
  operatorDefaultClient: 0.65,
  lentFromStart: 0.3,
  lenderKeepsUsing: 0.4,
  refusedShare: 0.45,
  refusedHours: { median: 20, sigma: 1.3 },
  operatorOutageDays: 16,
};

/** The two sets by name. */
export const DISTRIBUTIONS = { a: A, b: B } as const;
export type DistributionName = keyof typeof DISTRIBUTIONS;
