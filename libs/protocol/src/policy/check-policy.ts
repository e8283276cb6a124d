import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { BongsuError } from '../errors.js';
import { NETWORKS, RUNGS, type Network } from '../vocabulary.js';
import { DETECTORS, DETECTOR_CODES, FAMILIES, type Family } from './detectors.js';
import { POLICY_SCHEMA } from './policy-schema.js';
import { calibrate } from './calibrate.js';
import type { Policy } from './policy.js';

let compiled: ValidateFunction | undefined;

function validator(): ValidateFunction {
  if (!compiled) {
    const ajv = new Ajv2020({ allErrors: false });
    ajv.addVocabulary(['x-unit', 'x-source']);
    compiled = ajv.compile(POLICY_SCHEMA);
  }
  return compiled;
}

/**
 * A policy that may be published: it fits its schema, its thresholds are in order, every rung can be reached, and
 * neither one family of evidence nor one other exchange can expire a key.
 * @throws {BongsuError} POLICY_INVALID with the reason; `where` is the path of the field, such as `/ladder/expire`
 */
export function checkPolicy(value: unknown): Policy {
  const validate = validator();
  if (!validate(value)) throw schemaError(validate.errors?.[0]);
  const policy = value as Policy;
  checkOrder(policy);
  checkCalibration(policy);
  checkReach(policy);
  checkNoLoneExpiry(policy);
  checkDays(policy);
  return policy;
}

function refuse(where: string, reason: string): never {
  throw new BongsuError('POLICY_INVALID', `${where}: ${reason}`, where);
}

function schemaError(error: ErrorObject | undefined): BongsuError {
  const extra = error?.keyword === 'additionalProperties' ? `/${error.params['additionalProperty'] as string}` : '';
  const where = `${error?.instancePath ?? ''}${extra}` || '/';
  return new BongsuError('POLICY_INVALID', `${where}: ${error?.message ?? 'breaks the schema'}`, where);
}

function checkOrder(policy: Policy): void {
  const { probability, deadlineHours, expireAfterFailedReverification: afterFailed, syncAlone } = policy.ladder;
  for (const [i, rung] of RUNGS.entries()) {
    const below = RUNGS[i - 1];
    if (below === undefined) continue;
    if (probability[rung] <= probability[below])
      refuse(`/ladder/probability/${rung}`, `must be greater than that of ${below}`);
    if (deadlineHours[rung] > deadlineHours[below])
      refuse(`/ladder/deadlineHours/${rung}`, `must not be longer than that of ${below}`);
  }
  if (probability.monitor <= policy.priorProbability)
    refuse('/ladder/probability/monitor', 'must be greater than priorProbability: else every key is on the ladder');
  if (afterFailed > probability.expire || afterFailed <= probability.reverify)
    refuse('/ladder/expireAfterFailedReverification', 'must lie above reverify and not above expire');
  if (syncAlone.maxRung === 'expire') refuse('/ladder/syncAlone/maxRung', 'alike timing alone may not expire a key');
  const { S1 } = policy.detectors;
  if (S1.windowFull <= S1.windowFrom) refuse('/detectors/S1/windowFull', 'must be greater than windowFrom');
  if (S1.hourFull <= S1.hourFrom) refuse('/detectors/S1/hourFull', 'must be greater than hourFrom');
  if (policy.attribution.fullTrafficShare < policy.attribution.minTrafficShare)
    refuse('/attribution/fullTrafficShare', 'must not be less than minTrafficShare');
}

function checkCalibration(policy: Policy): void {
  for (const network of NETWORKS) {
    const calibration = policy.calibration[network];
    if (calibration.kind !== 'isotonic') continue;
    for (const [i, [score, probability]] of calibration.points.entries()) {
      const before = calibration.points[i - 1];
      if (before && (score <= before[0] || probability < before[1]))
        refuse(`/calibration/${network}/points/${i}`, 'scores must rise and probabilities must not fall');
    }
  }
}

/** Most that a family can add, given the caps of its detectors. */
function reachOf(family: Family, policy: Policy): number {
  const caps = DETECTOR_CODES.filter((code) => DETECTORS[code].family === family).map((c) => policy.detectors[c].cap);
  const most = Math.max(0, ...caps);
  const rest = caps.reduce((sum, cap) => sum + cap, 0) - most;
  return Math.min(policy.families[family].cap, most + policy.familyRestShare * rest);
}

function checkReach(policy: Policy): void {
  const reach = FAMILIES.map((family) => reachOf(family, policy));
  const all = reach.reduce((sum, nats) => sum + nats, 0);
  const best = Math.max(...NETWORKS.map((network) => probabilityAt(all, network, policy)));
  for (const rung of RUNGS)
    if (best < policy.ladder.probability[rung])
      refuse(`/ladder/probability/${rung}`, `cannot be reached: all evidence together gives ${best.toFixed(4)}`);
  const { minFamilies, minFamilyNats, anchorFamilies } = policy.ladder.expire;
  const strong = FAMILIES.filter((family) => reachOf(family, policy) >= minFamilyNats);
  if (strong.length < minFamilies || !strong.some((family) => anchorFamilies.includes(family)))
    refuse('/ladder/expire/minFamilyNats', 'expire cannot be reached: too few families can have this much');
}

function checkNoLoneExpiry(policy: Policy): void {
  const bar = Math.min(policy.ladder.probability.expire, policy.ladder.expireAfterFailedReverification);
  for (const network of NETWORKS) {
    for (const family of FAMILIES)
      if (probabilityAt(reachOf(family, policy), network, policy) >= bar)
        refuse(`/families/${family}/cap`, `the ${family} family alone reaches the probability of expire (${network})`);
    if (probabilityAt(policy.singleExchangeCap, network, policy) >= bar)
      refuse('/singleExchangeCap', `one other exchange alone reaches the probability of expire (${network})`);
  }
}

function checkDays(policy: Policy): void {
  if (policy.retention.observationDays < policy.lookBackDays)
    refuse('/retention/observationDays', 'must not be less than lookBackDays');
  if (policy.lockstepSearch.lookBackDays > policy.lookBackDays)
    refuse('/lockstepSearch/lookBackDays', 'must not be more than lookBackDays');
  const { minDays } = policy.ladder.expire;
  if (minDays > policy.lookBackDays) refuse('/ladder/expire/minDays', 'must not be more than lookBackDays');
}

/** Probability of a key with this much evidence and no protection. */
function probabilityAt(nats: number, network: Network, policy: Policy): number {
  const score = Math.log(policy.priorProbability / (1 - policy.priorProbability)) + nats;
  return calibrate(policy.calibration[network], score);
}
