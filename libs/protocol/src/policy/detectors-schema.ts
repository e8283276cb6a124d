import type { DetectorPolicies } from './policy.js';
import { count, group, quantity, type JsonSchema } from './schema-builder.js';

const DESIGN = 'alliance design value; docs/detection.md';
const FITTED = 'chosen on simulated populations; docs/detection.md';
const SHARE = { minimum: 0, maximum: 1 };
const DAYS = { minimum: 1, maximum: 365 };

function cap(): JsonSchema {
  return quantity('Most that it may add to its family; 0 switches it off.', 'nats', DESIGN, {
    minimum: 0,
    maximum: 20,
  });
}

function nats(description: string): JsonSchema {
  return quantity(description, 'nats', FITTED, { minimum: 0, maximum: 20 });
}

function share(description: string): JsonSchema {
  return quantity(description, 'share', FITTED, SHARE);
}

function days(description: string): JsonSchema {
  return count(description, 'days', FITTED, DAYS);
}

/** Schema of the policy's `detectors`. */
export const DETECTORS_SCHEMA: JsonSchema = group<DetectorPolicies>('How much each detector may say.', {
  N1: group<DetectorPolicies['N1']>('CO_REGISTERED: other owners have registered an address of the key.', {
    cap: cap(),
    weight: nats('Nats per ln(1 + owners).'),
  }),
  N2: group<DetectorPolicies['N2']>("SHARED_EGRESS: other owners send from the key's addresses.", {
    cap: cap(),
    weight: nats('Nats per ln(1 + owners).'),
  }),
  N3: group<DetectorPolicies['N3']>('CO_MOVEMENT: owners who move together over several addresses.', {
    cap: cap(),
    weight: nats('Nats per ln(1 + partners).'),
    minTrafficShare: share("Share of the key's traffic that a partner must share, hour by hour."),
    minPrefixes: count('Prefixes shared, at least.', 'prefixes', DESIGN, { minimum: 1, maximum: 100 }),
    minHours: count('Hours shared, at least.', 'hours', DESIGN, { minimum: 1, maximum: 1000 }),
    minDays: days('Days shared, at least.'),
    maxOverlapDays: count('Days in which an address and its successor may both be in use.', 'days', FITTED, {
      minimum: 0,
      maximum: 30,
    }),
    fullPartnerShare: share('Share of the other owners there that must move along for the whole weight.'),
  }),
  N4: group<DetectorPolicies['N4']>('CROSS_EXCHANGE_FANOUT: owners of several exchanges each on one address.', {
    cap: cap(),
    weight: nats('Nats per ln(owners).'),
    minOwners: count('Owners, at least.', 'owners', DESIGN, { minimum: 2, maximum: 100 }),
    minExchanges: count('Exchanges of each, at least.', 'exchanges', DESIGN, { minimum: 2, maximum: 100 }),
  }),
  K1: group<DetectorPolicies['K1']>('CONCURRENT_USE: active from two networks and clients at once, more than before.', {
    cap: cap(),
    weight: nats('Nats per ten-fold rise over the baseline.'),
    minWindows: count('Concurrent windows, at least.', '5-minute windows', FITTED, { minimum: 1, maximum: 10000 }),
    minDays: days('Days with concurrent use, at least.'),
    baselineDays: days('Days before the rise that a baseline needs.'),
    noBaselineNats: nats('Where there are no such days.'),
  }),
  K2: group<DetectorPolicies['K2']>('HANDOVER: a new address and client take over as the old ones vanish.', {
    cap: cap(),
    minDaysBefore: days('Active days before, at least.'),
    minDaysAfter: days('Active days since, at least.'),
    maxOverlapDays: count('Days in which old and new may overlap.', 'days', FITTED, { minimum: 0, maximum: 30 }),
    minTrafficShare: share('Share of the traffic since that the new ones carry, at least.'),
    aloneScale: share('Scale where nobody else is at work on the new addresses.'),
    bornScale: share('Scale for a new key that worked only where others had registered before its owner.'),
  }),
  K3: group<DetectorPolicies['K3']>('OFF_LIST: signed requests refused because their address was not registered.', {
    cap: cap(),
    perDay: nats('Per day with such requests.'),
    dailyCap: nats('Most from such days.'),
    foreignNats: nats('Where another owner had registered and used that address before.'),
    activeDays: days('How recently that owner must have used it.'),
    staleScale: share('Scale where that owner did not, or uses another client.'),
  }),
  C1: group<DetectorPolicies['C1']>('RARE_CLIENT: a client shared within a lockstep group beyond its base rate.', {
    cap: cap(),
    weight: share('Share of the log likelihood ratio that counts.'),
    minPartners: count('Other owners in the group with the client, at least.', 'owners', FITTED, {
      minimum: 1,
      maximum: 1000,
    }),
  }),
  S1: group<DetectorPolicies['S1']>('LOCKSTEP: order bursts of different owners in the same rare windows.', {
    cap: cap(),
    minBursts: count('Burst windows of each key on the days compared, at least.', '5-minute windows', DESIGN, {
      minimum: 1,
      maximum: 10000,
    }),
    minDays: days('Days with shared bursts, at least.'),
    windowFrom: share('Similarity of 5-minute windows at which evidence begins.'),
    windowFull: share('Similarity at which it is full.'),
    hourFrom: share('Similarity of hours at which evidence begins.'),
    hourFull: share('Similarity at which it is full.'),
    hourScale: share('Most of the cap that hours alone can reach.'),
    marketShare: share("A window in which more than this share of the day's keys burst is market-wide: dropped."),
    clockMinutes: count(
      'Windows at a multiple of so many minutes are clock-aligned: dropped; 0 drops none.',
      'minutes',
      DESIGN,
      { minimum: 0, maximum: 1440 },
    ),
  }),
});
