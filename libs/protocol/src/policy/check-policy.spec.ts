import { BongsuError } from '../errors.js';
import { checkPolicy } from './check-policy.js';
import { DEFAULT_POLICY } from './default-policy.js';
import { POLICY_SCHEMA } from './policy-schema.js';
import type { Policy } from './policy.js';
import type { JsonSchema } from './schema-builder.js';

function refusal(change: (policy: Policy) => void): { where: string | undefined; message: string } {
  const policy = structuredClone(DEFAULT_POLICY);
  change(policy);
  try {
    checkPolicy(policy);
  } catch (error) {
    expect(error).toBeInstanceOf(BongsuError);
    expect((error as BongsuError).code).toBe('POLICY_INVALID');
    return { where: (error as BongsuError).where, message: (error as BongsuError).message };
  }
  throw new Error('the policy was accepted');
}

describe('checkPolicy', () => {
  it('accepts the default policy and returns it unchanged', () => {
    expect(checkPolicy(structuredClone(DEFAULT_POLICY))).toEqual(DEFAULT_POLICY);
  });

  it.each<[string, string, (policy: Policy) => void]>([
    ['a missing field', '/ladder', (p) => delete (p.ladder as Partial<Policy['ladder']>).stepDownDays],
    ['an unknown field', '/crowd/maxOwners', (p) => Object.assign(p.crowd, { maxOwners: 3 })],
    ['a number out of range', '/priorProbability', (p) => (p.priorProbability = 1)],
    ['a word for a number', '/halfLifeDays', (p) => Object.assign(p, { halfLifeDays: '14' })],
    ['a version that is none', '/version', (p) => (p.version = '1.0')],
    ['thresholds out of order', '/ladder/probability/reverify', (p) => (p.ladder.probability.reverify = 0.3)],
    ['monitor below the prior', '/ladder/probability/monitor', (p) => (p.ladder.probability.monitor = 0.005)],
    ['deadlines that grow', '/ladder/deadlineHours/expire', (p) => (p.ladder.deadlineHours.expire = 500)],
    ['a rung out of reach', '/ladder/probability/expire', (p) => (p.ladder.probability.expire = 0.99999999)],
    [
      'expiry needing more than families have',
      '/ladder/expire/minFamilyNats',
      (p) => (p.ladder.expire.minFamilyNats = 5),
    ],
    ['expiry by one family', '/ladder/expire/minFamilies', (p) => (p.ladder.expire.minFamilies = 1)],
    [
      'a family that expires alone',
      '/families/network/cap',
      (p) => {
        p.families.network.cap = 12;
        p.detectors.N2.cap = 12;
      },
    ],
    ['one exchange that expires alone', '/singleExchangeCap', (p) => (p.singleExchangeCap = 8)],
    ['timing alone that expires', '/ladder/syncAlone/maxRung', (p) => (p.ladder.syncAlone.maxRung = 'expire')],
    [
      'a calibration curve that falls',
      '/calibration/mobile/points/1',
      (p) =>
        (p.calibration.mobile = {
          kind: 'isotonic',
          points: [
            [-4, 0.1],
            [2, 0.05],
          ],
          data: 'none',
        }),
    ],
    ['forgetting what is looked at', '/retention/observationDays', (p) => (p.retention.observationDays = 10)],
    ['an empty similarity range', '/detectors/S1/windowFull', (p) => (p.detectors.S1.windowFull = 0.05)],
    [
      'a failed re-verification that raises the bar',
      '/ladder/expireAfterFailedReverification',
      (p) => (p.ladder.expireAfterFailedReverification = 0.99),
    ],
  ])('refuses %s at %s', (_what, where, change) => {
    const found = refusal(change);
    expect(found.where).toBe(where);
    expect(found.message.length).toBeGreaterThan(where.length + 4);
  });

  it.each([null, undefined, 7, 'policy', []])('refuses %p, which is no policy', (value) => {
    expect(() => checkPolicy(value)).toThrow(BongsuError);
  });
});

describe('POLICY_SCHEMA', () => {
  function leaves(node: JsonSchema, path = ''): [string, JsonSchema][] {
    const children: [string, JsonSchema][] = Object.entries(node.properties ?? {}).map(([k, v]) => [`${path}/${k}`, v]);
    for (const [i, option] of (node.oneOf ?? []).entries()) children.push([`${path}#${i}`, option]);
    if (children.length === 0) return [[path, node]];
    return children.flatMap(([childPath, child]) => leaves(child, childPath));
  }

  it('describes every field with its unit and source', () => {
    const fields = leaves(POLICY_SCHEMA);
    expect(fields.length).toBeGreaterThan(90);
    for (const [path, field] of fields) {
      expect([path, field.description]).toEqual([path, expect.stringMatching(/\S/)]);
      expect([path, field['x-unit']]).toEqual([path, expect.stringMatching(/\S/)]);
      expect([path, field['x-source']]).toEqual([path, expect.stringMatching(/\S/)]);
    }
  });
});
