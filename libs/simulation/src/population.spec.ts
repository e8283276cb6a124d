import { createHash } from 'node:crypto';
import { ACCOUNT_TYPES, canonicalIp, NETWORKS, PERMISSIONS, POPULATION_MEMBERS, type KeyRecord } from '@app/protocol';
import ipaddr from 'ipaddr.js';
import { generatePopulation, type PopulationOptions } from './population.js';

const SMALL: PopulationOptions = {
  owners: 160,
  days: 4,
  seed: 11,
  mix: { operator: 0.15, lend_pair: 0.06, farm: 0.05, operator_rotating: 0.05, lying_exchange: 0.02 },
};

function digest(options: PopulationOptions): string {
  const population = generatePopulation(options);
  const hash = createHash('sha256');
  for (const part of [population.keys(), population.truth(), population.usage()])
    for (const record of part) hash.update(JSON.stringify(record));
  return hash.digest('hex');
}

describe('a population', () => {
  it('is a function of its options', () => {
    expect(digest(SMALL)).toBe(digest({ ...SMALL }));
    expect(digest({ ...SMALL, seed: 12 })).not.toBe(digest(SMALL));
    expect(digest({ ...SMALL, distribution: 'b' })).not.toBe(digest(SMALL));
  });

  it('draws the same rows each time they are asked for', () => {
    const population = generatePopulation({ ...SMALL, days: 2 });
    expect(JSON.stringify([...population.usage()])).toBe(JSON.stringify([...population.usage()]));
  });

  it.each([
    ['owners', { owners: 0 }],
    ['days', { days: 1.5 }],
    ['seed', { seed: -1 }],
    ['start', { start: '2026-02-30' }],
    ['distribution', { distribution: 'z' as 'a' }],
    ['mix', { mix: { operator: 0.7, farm: 0.4 } }],
    ['mix', { mix: { unheard: 0.1 } as PopulationOptions['mix'] }],
  ])('refuses a bad %s', (where, change) => {
    expect(() => generatePopulation({ ...SMALL, mix: {}, ...change } as PopulationOptions)).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', where }),
    );
  });

  describe.each(['a', 'b'] as const)('of distribution %s', (distribution) => {
    const population = generatePopulation({ ...SMALL, distribution });
    const keys = new Map<string, KeyRecord>();
    for (const { member, key } of population.keys()) keys.set(`${member}/${key.access_key}`, key);
    const days = [...population.usage()];

    it('has keys in the form that docs/formats.md gives', () => {
      const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
      for (const [id, key] of keys) {
        expect(POPULATION_MEMBERS).toContain(id.split('/')[0]);
        expect(ACCOUNT_TYPES).toContain(key.account_type);
        expect(PERMISSIONS).toEqual(expect.arrayContaining(key.permissions));
        expect(key.created_at).toMatch(time);
        expect(key.expires_at).toMatch(time);
        const bad = key.allowed_ips.filter(
          ({ ip, added_at, removed_at }) =>
            canonicalIp(ip) !== ip ||
            !time.test(added_at) ||
            added_at < key.created_at ||
            (removed_at !== null && (removed_at < added_at || !time.test(removed_at))),
        );
        expect(bad).toEqual([]);
      }
    });

    it('allows ten addresses a key at a time', () => {
      for (const { allowed_ips: entries } of keys.values())
        for (const { added_at } of entries) {
          const open = entries.filter(
            (e) => e.added_at <= added_at && (e.removed_at === null || e.removed_at > added_at),
          );
          if (open.length > 10) throw new Error(`${open.length} addresses at ${added_at}`);
        }
    });

    it('uses public addresses only', () => {
      for (const key of keys.values())
        for (const { ip } of key.allowed_ips) expect(ipaddr.parse(ip).range()).toBe('unicast');
    });

    it('has usage in the form that docs/formats.md gives, sorted by hour, each row once', () => {
      const seen = new Set<string>();
      const last = new Map<string, string>();
      const wrong: unknown[] = [];
      for (const { member, usage } of days)
        for (const row of usage) {
          const { hour, access_key, ip, network, client, requests, orders, rejected, active_slots, burst_slots } = row;
          const id = [member, access_key, ip, client, hour].join(' ');
          const fits =
            /^2026-06-0[1-4]T\d\d:00:00Z$/.test(hour) &&
            (last.get(member) ?? '') <= hour &&
            !seen.has(id) &&
            keys.has(`${member}/${access_key}`) &&
            NETWORKS.includes(network) &&
            client.length > 2 &&
            [requests, orders, rejected].every((count) => Number.isInteger(count) && count >= 0) &&
            requests >= Math.max(1, orders + rejected) &&
            active_slots > 0 &&
            active_slots < 4096 &&
            (burst_slots & ~active_slots) === 0 &&
            orders >= 5 * bits(burst_slots);
          if (!fits) wrong.push(row);
          last.set(member, hour);
          seen.add(id);
        }
      expect(wrong).toEqual([]);
      expect(seen.size).toBeGreaterThan(5000);
    });

    it('refuses exactly what no entry of the allow-list covers', () => {
      let refused = 0;
      const wrong: unknown[] = [];
      for (const { member, usage } of days)
        for (const row of usage) {
          const { hour, access_key, ip, rejected, orders, active_slots } = row;
          const from = Date.parse(hour);
          const to = from + 3_600_000;
          const entries = keys.get(`${member}/${access_key}`)!.allowed_ips.filter((entry) => entry.ip === ip);
          const covered = (all: boolean) =>
            entries.some(({ added_at, removed_at }) => {
              const added = Date.parse(added_at);
              const removed = removed_at === null ? Infinity : Date.parse(removed_at);
              return all ? added <= from && removed >= to : added < to && removed > from;
            });
          // An entry that begins or ends within the hour allows some of it; the other rows are certain.
          if (covered(true)) {
            if (rejected > 0) wrong.push(row);
          } else if (!covered(false)) {
            if (rejected < bits(active_slots) || orders > 0) wrong.push(row);
            refused++;
          }
        }
      expect(wrong).toEqual([]);
      expect(refused).toBeGreaterThan(20);
    });

    it('says of every key whether and since when it is lent', () => {
      const truth = [...population.truth()];
      expect(truth.map(({ member, access_key }) => `${member}/${access_key}`)).toEqual([...keys.keys()]);
      for (const { lent, onset } of truth) {
        expect(onset !== null).toBe(lent);
        if (onset !== null) expect(onset >= '2026-06-01T00:00:00Z' && onset < '2026-06-05T00:00:00Z').toBe(true);
      }
      expect(truth.filter(({ lent }) => lent).length).toBe(population.counts.lent);
      expect(truth.length).toBe(population.counts.keys);
    });

    it('has a lent key of one owner used where other owners’ keys are', () => {
      const lentOperator = new Set(
        [...population.truth()].filter(({ segment }) => segment.startsWith('operator_')).map((t) => t.access_key),
      );
      const owners = new Map<string, Set<string>>();
      for (const { member, usage } of days)
        for (const { access_key, ip } of usage)
          if (lentOperator.has(access_key))
            owners.set(ip, (owners.get(ip) ?? new Set()).add(keys.get(`${member}/${access_key}`)!.owner));
      expect(Math.max(...[...owners.values()].map((set) => set.size))).toBeGreaterThanOrEqual(2);
    });
  });

  it('keeps the shares of its mix', () => {
    const population = generatePopulation({ owners: 3000, days: 1, seed: 5 });
    const owners = new Map<string, Set<string>>();
    const ownerOf = new Map(
      [...population.keys()].map(({ member, key }) => [`${member}/${key.access_key}`, key.owner]),
    );
    for (const { member, access_key, segment } of population.truth()) {
      const set = owners.get(segment) ?? new Set();
      owners.set(segment, set.add(ownerOf.get(`${member}/${access_key}`)!));
    }
    const share = (...segments: string[]) =>
      segments.reduce((sum, segment) => sum + (owners.get(segment)?.size ?? 0), 0) / 3000;
    const { mix } = population.options;
    expect(Object.values(mix).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
    expect(Math.abs(share('own_vps') - mix.own_vps)).toBeLessThan(0.05);
    expect(Math.abs(share('mobile_nat') - mix.mobile_nat)).toBeLessThan(0.002);
    expect(Math.abs(share('tracker') - mix.tracker)).toBeLessThan(0.002);
    expect(Math.abs(share('household') - mix.household)).toBeLessThan(0.002);
    expect(Math.abs(share('operator_lockstep', 'operator_independent') - mix.operator)).toBeLessThan(0.003);
    const exchanges = new Map<string, Set<string>>();
    for (const { member, key } of population.keys())
      exchanges.set(key.owner, (exchanges.get(key.owner) ?? new Set()).add(member));
    const one = [...exchanges.values()].filter((set) => set.size === 1).length / exchanges.size;
    expect(Math.abs(one - 0.62)).toBeLessThan(0.04);
  });

  it('gives a small demonstration several operators when its mix asks for them', () => {
    for (let seed = 0; seed < 5; seed++) {
      const population = generatePopulation({ owners: 220, days: 14, seed, mix: { operator: 0.1, lend_pair: 0.03 } });
      const segments = [...population.truth()].map(({ segment }) => segment);
      expect(segments.filter((segment) => /^operator_(lockstep|independent)$/.test(segment)).length).toBeGreaterThan(
        20,
      );
      expect(segments).toContain('lend_pair');
    }
  });
});

function bits(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}
