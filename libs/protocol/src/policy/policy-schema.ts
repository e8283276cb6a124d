import { NETWORKS, RUNGS } from '../vocabulary.js';
import { DETECTORS_SCHEMA } from './detectors-schema.js';
import { FAMILIES } from './detectors.js';
import type {
  ClientRatioPolicy,
  CrowdPolicy,
  LadderPolicy,
  LockstepSearchPolicy,
  Policy,
  ProtectionPolicy,
} from './policy.js';
import { choice, count, group, quantity, type JsonSchema } from './schema-builder.js';

const DESIGN = 'alliance design value; docs/detection.md';
const FITTED = 'chosen on simulated populations; docs/detection.md';
const OPERATIONS = 'operational limit; docs/detection.md';
const PROBABILITY = { exclusiveMinimum: 0, exclusiveMaximum: 1 };
const NATS = { minimum: 0, maximum: 20 };
const SHARE = { minimum: 0, maximum: 1 };
const DAYS = { minimum: 1, maximum: 3650 };

function each<K extends string>(keys: readonly K[], make: (key: K) => JsonSchema): Record<K, JsonSchema> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, JsonSchema>;
}

const DATA: JsonSchema = {
  type: 'string',
  minLength: 1,
  description: 'The data it was fitted on: populations, seeds, command, date.',
  'x-unit': 'text',
  'x-source': 'npm run calibrate',
};

function kind(value: string): JsonSchema {
  return { const: value, description: `Discriminator: ${value}.`, 'x-unit': 'word', 'x-source': DESIGN };
}

const POINT: JsonSchema = {
  type: 'array',
  description: 'One point: score, probability.',
  prefixItems: [
    quantity('Score.', 'nats', 'npm run calibrate', { minimum: -100, maximum: 100 }),
    quantity('Probability.', 'probability', 'npm run calibrate', SHARE),
  ],
  items: false,
  minItems: 2,
  maxItems: 2,
};

const POINTS: JsonSchema = {
  type: 'array',
  description: 'Points of the curve, both values rising, linear between, flat outside.',
  'x-unit': 'pairs of nats and probability',
  'x-source': 'npm run calibrate',
  items: POINT,
  minItems: 2,
};

function calibration(network: string): JsonSchema {
  return {
    description: `From score to probability for keys whose traffic is mostly ${network}.`,
    oneOf: [
      group<{ kind: string }>('1 / (1 + e^-score): the score as it is.', { kind: kind('logistic') }),
      group<{ kind: string; slope: number; intercept: number; data: string }>(
        '1 / (1 + e^-(slope·score + intercept)).',
        {
          kind: kind('platt'),
          slope: quantity('Slope.', 'per nat', 'npm run calibrate', { exclusiveMinimum: 0, maximum: 100 }),
          intercept: quantity('Intercept.', 'nats', 'npm run calibrate', { minimum: -100, maximum: 100 }),
          data: DATA,
        },
      ),
      group<{ kind: string; points: unknown; data: string }>('Isotonic regression: a rising curve through points.', {
        kind: kind('isotonic'),
        points: POINTS,
        data: DATA,
      }),
    ],
  };
}

const CLIENT_RATIO = group<ClientRatioPolicy>(
  'ρ: whether the clients of an address come from one program or from unrelated users.',
  {
    strayProbability: quantity(
      'Probability that an owner served by one operator shows another client.',
      'probability',
      FITTED,
      PROBABILITY,
    ),
    smoothingOwners: quantity(
      'Weight of the base rates over all networks within one network class.',
      'owners',
      FITTED,
      { exclusiveMinimum: 0, maximum: 10000 },
    ),
    fullNats: quantity('Ratio per extra owner at which evidence counts whole.', 'nats per extra owner', FITTED, {
      exclusiveMinimum: 0,
      maximum: 20,
    }),
    unknownScale: quantity('How far evidence counts where no clients compare.', 'share', FITTED, SHARE),
  },
);

const CROWD = group<CrowdPolicy>('When many owners on an address say nothing, because unrelated people share it.', {
  minOwners: count('From so many owners on, an address whose ratio says unrelated is a crowd.', 'owners', FITTED, {
    minimum: 2,
    maximum: 100000,
  }),
  maxRatio: quantity('Ratio at or below which owners are unrelated.', 'nats per extra owner', FITTED, {
    minimum: -20,
    maximum: 20,
  }),
  minLists: count('Warning lists an address must be on to be a crowd.', 'lists', DESIGN, { minimum: 1, maximum: 1000 }),
  hidingShare: quantity(
    'Share of the other owners in lockstep or co-movement with the key that makes them an operator hiding.',
    'share',
    FITTED,
    SHARE,
  ),
  hidingOwners: count('And at least so many of them.', 'owners', FITTED, { minimum: 1, maximum: 1000 }),
});

const PROTECTIONS = group<ProtectionPolicy>("What counts in a key's favour; any of it rules out expiry.", {
  aggregator: quantity('Taken off for a registered aggregator.', 'nats', DESIGN, NATS),
  corporate: quantity('Taken off for a corporate account.', 'nats', DESIGN, NATS),
  marketMaker: quantity('Taken off for a market maker.', 'nats', DESIGN, NATS),
  reverified: group<ProtectionPolicy['reverified']>('After a passed re-verification.', {
    nats: quantity('Taken off.', 'nats', DESIGN, NATS),
    days: count('For so long.', 'days', DESIGN, DAYS),
  }),
  readOnlyScale: quantity(
    "Factor on the evidence of a read-only key that is no registered aggregator's.",
    'share',
    DESIGN,
    SHARE,
  ),
});

const LADDER = group<LadderPolicy>('The rungs: what each needs, how a key comes down, what follows.', {
  probability: group<LadderPolicy['probability']>(
    'Probability from which each rung is reached; rising.',
    each(RUNGS, (rung) => quantity(`From here on: ${rung}.`, 'probability', DESIGN, PROBABILITY)),
  ),
  expire: group<LadderPolicy['expire']>('What expiry needs besides its probability, and no protection.', {
    minFamilies: count('Families that must each reach minFamilyNats.', 'families', DESIGN, {
      minimum: 2,
      maximum: FAMILIES.length,
    }),
    minFamilyNats: quantity('Evidence that each of them must have.', 'nats', DESIGN, {
      exclusiveMinimum: 0,
      maximum: 20,
    }),
    anchorFamilies: {
      type: 'array',
      description: 'Families of which one must be among them.',
      'x-unit': 'list of words',
      'x-source': DESIGN,
      items: choice('A family.', DESIGN, FAMILIES),
      minItems: 1,
      uniqueItems: true,
    },
    minDays: count('Distinct days of evidence in the anchor families.', 'days', DESIGN, DAYS),
    minProbabilityElsewhere: quantity(
      "What must remain without the other keys of the key's own exchange.",
      'probability',
      DESIGN,
      SHARE,
    ),
  }),
  syncAlone: group<LadderPolicy['syncAlone']>(
    'Alike timing without shared control: followers of one signal look like a farm.',
    {
      maxRung: choice('Highest rung for it.', DESIGN, RUNGS),
      maxNats: quantity('Most that sync and client evidence add together.', 'nats', FITTED, NATS),
      controlNats: quantity('Network or key evidence that shows shared control.', 'nats', DESIGN, NATS),
    },
  ),
  stepDownDays: count('Clean days after which a key steps down one rung.', 'days', DESIGN, DAYS),
  upheldWarnings: group<LadderPolicy['upheldWarnings']>(
    'Warnings upheld by the member: the next starts at re-verification.',
    {
      count: count('So many.', 'warnings', DESIGN, { minimum: 1, maximum: 100 }),
      withinDays: count('Within so long.', 'days', DESIGN, DAYS),
    },
  ),
  expireAfterFailedReverification: quantity(
    'Probability for expiry once a re-verification failed or was ignored.',
    'probability',
    DESIGN,
    PROBABILITY,
  ),
  deadlineHours: group<LadderPolicy['deadlineHours']>(
    'How soon the member should act; not rising with the rungs.',
    each(RUNGS, (rung) => count(`On ${rung}.`, 'hours', DESIGN, { minimum: 1, maximum: 8760 })),
  ),
});

const LOCKSTEP_SEARCH = group<LockstepSearchPolicy>('Bounds on the search for lockstep partners.', {
  lookBackDays: count('Days of bursts searched.', 'days', OPERATIONS, DAYS),
  maxKeysPerWindow: count('A window in which more keys burst is not searched.', 'keys', OPERATIONS, {
    minimum: 2,
    maximum: 65535,
  }),
  maxWindowsPerKey: count('Most windows searched per key, rarest first.', 'windows', OPERATIONS, {
    minimum: 1,
    maximum: 10000,
  }),
  minSharedWindows: count('Windows two keys must share to be compared.', 'windows', FITTED, {
    minimum: 1,
    maximum: 10000,
  }),
  minSharedShare: quantity('And at least this share of the windows searched.', 'share', FITTED, SHARE),
  maxCandidates: count('Most candidates per key.', 'keys', OPERATIONS, { minimum: 1, maximum: 10000 }),
});

/** JSON Schema 2020-12 of the policy: every field with its meaning, unit and source. */
export const POLICY_SCHEMA: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:bongsu:policy:1',
  title: 'Bongsu detection policy',
  ...group<Policy>('Every number that decides what evidence is worth and what follows from it. Evidence is in nats.', {
    version: {
      type: 'string',
      pattern: '^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$',
      description: 'Version of this policy: major.minor.patch.',
      'x-unit': 'version',
      'x-source': 'alliance staff',
    },
    priorProbability: quantity(
      'Probability that a key is lent before any evidence.',
      'probability',
      DESIGN,
      PROBABILITY,
    ),
    halfLifeDays: quantity('Evidence loses half its weight in this time.', 'days', DESIGN, {
      minimum: 1,
      maximum: 365,
    }),
    lookBackDays: count('Observations that an assessment looks at.', 'days', OPERATIONS, { minimum: 7, maximum: 365 }),
    families: group<Policy['families']>(
      'Most that each family of detectors may add.',
      each(FAMILIES, (family) =>
        group<{ cap: number }>(`The ${family} family.`, { cap: quantity('Cap.', 'nats', DESIGN, NATS) }),
      ),
    ),
    familyRestShare: quantity(
      'Within a family the strongest finding counts whole, each other this share.',
      'share',
      DESIGN,
      SHARE,
    ),
    singleExchangeCap: quantity(
      "Most that may rest on any one exchange other than the key's own.",
      'nats',
      DESIGN,
      NATS,
    ),
    detectors: DETECTORS_SCHEMA,
    clientRatio: CLIENT_RATIO,
    sharingScale: group<Policy['sharingScale']>(
      'Factor on the evidence of a shared address, by its network class.',
      each(NETWORKS, (network) =>
        quantity(`Addresses that are ${network}.`, 'factor', FITTED, { minimum: 0, maximum: 2 }),
      ),
    ),
    crowd: CROWD,
    attribution: group<Policy['attribution']>("When a group's evidence is a key's own.", {
      minTrafficShare: quantity("Not below this share of the key's traffic.", 'share', DESIGN, SHARE),
      fullTrafficShare: quantity('Whole from this share on, in proportion below.', 'share', FITTED, {
        exclusiveMinimum: 0,
        maximum: 1,
      }),
      recentHalfLifeDays: quantity('Half-life of the traffic over which a recent share is taken.', 'days', FITTED, {
        minimum: 0.5,
        maximum: 365,
      }),
      hostScale: quantity(
        "Factor where the key's owner registered the address before everyone else in the group.",
        'share',
        FITTED,
        SHARE,
      ),
    }),
    protections: PROTECTIONS,
    calibration: group<Policy['calibration']>(
      'From score to probability, per network class.',
      each(NETWORKS, calibration),
    ),
    ladder: LADDER,
    lockstepSearch: LOCKSTEP_SEARCH,
    limits: group<Policy['limits']>('Bounds on what one assessment reads.', {
      keysPerIp: count('Most keys loaded of one address; one with more is a crowd.', 'keys', OPERATIONS, {
        minimum: 10,
        maximum: 1000000,
      }),
      ownersPerIpDay: count('Most owners of one address and day compared pair by pair.', 'owners', OPERATIONS, {
        minimum: 2,
        maximum: 100000,
      }),
    }),
    reports: group<Policy['reports']>("Regulators' reports.", {
      suppressBelow: count(
        'A cell that counts fewer is suppressed.',
        'keys',
        'practice of statistical offices (3 to 10)',
        { minimum: 3, maximum: 100 },
      ),
    }),
    retention: group<Policy['retention']>('How long data are kept.', {
      observationDays: count('Observations.', 'days', DESIGN, DAYS),
      assessmentDays: count('Assessments and recommendations.', 'days', DESIGN, DAYS),
    }),
    epochDays: count('How long one blinding key is in use.', 'days', DESIGN, { minimum: 1, maximum: 365 }),
  }),
};
