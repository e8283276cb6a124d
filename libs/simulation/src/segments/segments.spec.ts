import type { KeyRecord, UsageRecord } from '@app/protocol';
import type { MixName } from '../distribution.js';
import { generatePopulation, type PopulationOptions } from '../population.js';

/** One segment's keys with their rows, from a population that is mostly this segment. */
interface Seen {
  id: string;
  member: string;
  group: number;
  segment: string;
  lent: boolean;
  onset: string | null;
  key: KeyRecord;
  rows: UsageRecord[];
}

function people(segment: MixName, owners = 24, options: Partial<PopulationOptions> = {}): Seen[] {
  const population = generatePopulation({ owners, days: 15, seed: 4, mix: { [segment]: 1 }, ...options });
  const seen = new Map<string, Seen>();
  const records = [...population.keys()];
  const groups = [...population.groups()];
  for (const [place, truth] of [...population.truth()].entries()) {
    const { member, access_key, segment: name, lent, onset } = truth;
    const id = `${member}/${access_key}`;
    const { key } = records[place]!;
    seen.set(id, { id, member, group: groups[place]!.group, segment: name, lent, onset, key, rows: [] });
  }
  for (const { member, usage } of population.usage())
    for (const row of usage) seen.get(`${member}/${row.access_key}`)!.rows.push(row);
  return [...seen.values()];
}

const lentOf = (seen: readonly Seen[]) => seen.filter(({ lent }) => lent);

/** Distinct values of every group. */
function perGroup<T>(seen: readonly Seen[], values: (one: Seen) => Iterable<T>): Set<T>[] {
  const groups = new Map<number, Set<T>>();
  for (const one of seen) {
    const set = groups.get(one.group) ?? new Set<T>();
    groups.set(one.group, set);
    for (const value of values(one)) set.add(value);
  }
  return [...groups.values()];
}

/** Owners seen on each address. */
function ownersOn(seen: readonly Seen[]): Map<string, Set<string>> {
  const owners = new Map<string, Set<string>>();
  for (const { key, rows } of seen)
    for (const { ip } of rows) owners.set(ip, (owners.get(ip) ?? new Set()).add(key.owner));
  return owners;
}

/** Burst windows of a key, as texts. */
function bursts(one: Seen): Set<string> {
  const windows = new Set<string>();
  for (const { hour, burst_slots } of one.rows)
    for (let slot = 0; slot < 12; slot++) if (burst_slots & (1 << slot)) windows.add(`${hour} ${slot}`);
  return windows;
}

function jaccard<T>(a: Set<T>, b: Set<T>): number {
  const shared = [...a].filter((value) => b.has(value)).length;
  return shared / Math.max(1, a.size + b.size - shared);
}

/** Mean overlap of burst windows over pairs of keys of different owners, as far as both were used long. */
function lockstep(seen: readonly Seen[], windows: (one: Seen) => Set<string> = bursts): number {
  const long = seen.filter((one) => bursts(one).size >= 20).slice(0, 12);
  const pairs = long.flatMap((a, i) => long.slice(i + 1).map((b) => [a, b] as const));
  const others = pairs.filter(([a, b]) => a.key.owner !== b.key.owner && (!a.lent || a.group === b.group));
  return others.reduce((sum, [a, b]) => sum + jaccard(windows(a), windows(b)), 0) / Math.max(1, others.length);
}

describe('innocent people', () => {
  it('at home change address, register late and are refused meanwhile', () => {
    const seen = people('home_bot', 80);
    expect(seen.some(({ rows }) => new Set(rows.map(({ ip }) => ip)).size > 1)).toBe(true);
    expect(seen.some(({ rows }) => rows.some(({ rejected }) => rejected > 0))).toBe(true);
    expect(lentOf(seen)).toEqual([]);
  });

  it('with several servers use three addresses and more', () => {
    const seen = people('several_servers').filter(({ segment }) => segment === 'several_servers');
    for (const { key } of seen) expect(key.allowed_ips.length).toBeGreaterThanOrEqual(3);
  });

  it.each(['mobile_nat', 'cloud_nat', 'office_nat', 'vpn_exit', 'household'] as const)(
    'of %s share addresses',
    (segment) => {
      const owners = [...ownersOn(people(segment, 60)).values()].map((set) => set.size);
      expect(Math.max(...owners)).toBeGreaterThanOrEqual(2);
    },
  );

  it('at trackers read and never trade', () => {
    const seen = people('tracker').filter(({ segment }) => segment === 'tracker');
    for (const { key, rows } of seen) {
      expect(key.permissions).toEqual(['read']);
      expect(rows.every(({ orders, burst_slots }) => orders === 0 && burst_slots === 0)).toBe(true);
    }
  });

  it('who follow one signal burst together from addresses of their own', () => {
    const seen = people('signal_follower', 14);
    expect(lockstep(seen)).toBeGreaterThan(0.15);
    expect([...ownersOn(seen).values()].every((owners) => owners.size === 1)).toBe(true);
  });

  it('who follow none do not burst together', () => {
    expect(lockstep(people('own_vps'))).toBeLessThan(0.08);
  });
});

describe('lending', () => {
  it('shows the borrower’s address on keys of both friends', () => {
    const seen = people('lend_pair', 12);
    const owners = ownersOn(seen);
    for (const lender of lentOf(seen)) expect(lender.rows.some(({ ip }) => (owners.get(ip)?.size ?? 0) > 1)).toBe(true);
  });

  it('is refused first for about a third, and used on by the lender for about half', () => {
    const everyone = people('lend_pair', 200, { days: 10 });
    const seen = lentOf(everyone);
    const owners = ownersOn(everyone);
    const byBorrower = (ip: string) => owners.get(ip)!.size > 1;
    const refused = seen.filter(({ rows, onset }) =>
      rows.some(
        ({ ip, hour, rejected }) =>
          rejected > 0 && byBorrower(ip) && Date.parse(hour) < Date.parse(onset!) + 6 * 3_600_000,
      ),
    );
    expect(refused.length / seen.length).toBeGreaterThan(0.18);
    expect(refused.length / seen.length).toBeLessThan(0.45);
    const usedOn = seen.filter(({ rows, onset }) =>
      rows.some(({ ip, hour }) => !byBorrower(ip) && Date.parse(hour) > Date.parse(onset!) + 12 * 3_600_000),
    );
    expect(usedOn.length / seen.length).toBeGreaterThan(0.35);
    expect(usedOn.length / seen.length).toBeLessThan(0.65);
  });

  it('through the lender’s home leaves nothing at an address of others', () => {
    const seen = lentOf(people('relay', 20));
    expect(seen.length).toBeGreaterThan(10);
    expect([...ownersOn(seen).values()].every((owners) => owners.size === 1)).toBe(true);
  });

  it('to a farm is one program in lockstep, an address a key', () => {
    const seen = lentOf(people('farm', 10));
    expect(lockstep(seen)).toBeGreaterThan(0.3);
    expect([...ownersOn(seen).values()].every((owners) => owners.size === 1)).toBe(true);
  });

  it('to an evasive operator agrees in hours, not in windows', () => {
    const seen = lentOf(people('evasive', 8, { seed: 6 }));
    const hours = (one: Seen) => new Set([...bursts(one)].map((window) => window.slice(0, 13)));
    expect(lockstep(seen, hours)).toBeGreaterThan(1.5 * lockstep(seen));
    expect([...ownersOn(seen).values()].every((owners) => owners.size === 1)).toBe(true);
  });
});

describe('adversaries', () => {
  it('who rotate move their customers to new addresses about weekly', () => {
    const seen = lentOf(people('operator_rotating'));
    const shared = [...ownersOn(seen).values()].filter((owners) => owners.size > 1);
    expect(shared.length).toBeGreaterThanOrEqual(2 * perGroup(seen, ({ group }) => [group]).length);
  });

  it('who shuffle show many clients on one address', () => {
    const clients = new Map<string, Set<string>>();
    for (const { rows } of lentOf(people('operator_shuffled')))
      for (const { ip, client } of rows) clients.set(ip, (clients.get(ip) ?? new Set()).add(client));
    expect(Math.max(...[...clients.values()].map((set) => set.size))).toBeGreaterThanOrEqual(5);
  });

  it('who frame have their customers register strangers’ addresses that they never use', () => {
    const seen = people('operator_framing');
    const framed = seen.filter(({ segment }) => segment === 'framed');
    expect(framed.length).toBeGreaterThan(0);
    const victims = new Set(framed.flatMap(({ rows }) => rows.map(({ ip }) => ip)));
    const lent = lentOf(seen);
    expect(lent.some(({ key }) => key.allowed_ips.some(({ ip }) => victims.has(ip)))).toBe(true);
    expect(lent.some(({ rows }) => rows.some(({ ip }) => victims.has(ip)))).toBe(false);
    expect(framed.every(({ lent }) => !lent)).toBe(true);
  });

  it('who split show no exchange more than two keys', () => {
    const seen = lentOf(people('operator_split', 15));
    const counts = new Map<string, number>();
    for (const { group, member } of seen) counts.set(`${group} ${member}`, (counts.get(`${group} ${member}`) ?? 0) + 1);
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(2);
    expect(perGroup(seen, ({ member }) => [member]).every((members) => members.size >= 4)).toBe(true);
  });

  it('who ramp up begin with little', () => {
    let early = 0;
    let late = 0;
    const seen = lentOf(people('operator_ramp'));
    const owners = ownersOn(seen);
    for (const { rows, onset } of seen)
      for (const { ip, hour } of rows) {
        if (owners.get(ip)!.size < 2) continue;
        const day = (Date.parse(hour) - Date.parse(onset!)) / 86_400_000;
        if (day < 2) early++;
        else if (day >= 5 && day < 7) late++;
      }
    expect(early).toBeLessThan(0.6 * late);
  });

  it('who hide behind a carrier share its addresses with the innocent', () => {
    const seen = people('operator_camouflage', 80, { mix: { operator_camouflage: 0.2, mobile_nat: 0.8 } });
    const innocent = ownersOn(seen.filter(({ segment }) => segment === 'mobile_nat'));
    expect(lentOf(seen).some(({ rows }) => rows.some(({ ip }) => innocent.has(ip)))).toBe(true);
  });

  it('who re-issue go on with a new key of the same owner after the old one ends', () => {
    const seen = lentOf(people('operator_reissue'));
    const replaced = seen.filter(({ key, member }) =>
      seen.some(
        (other) => other.member === member && other.key.owner === key.owner && other.key.created_at > key.expires_at!,
      ),
    );
    expect(replaced.length).toBeGreaterThan(seen.length / 4);
    for (const { key, rows } of replaced) expect(rows.every(({ hour }) => hour <= key.expires_at!)).toBe(true);
  });

  it('who lie invent keys of their own member at a rival’s customer', () => {
    const seen = people('lying_exchange', 3);
    const fabricated = seen.filter(({ segment }) => segment === 'fabricated');
    const victims = new Set(
      seen.filter(({ segment }) => segment === 'lied_about').flatMap(({ rows }) => rows.map(({ ip }) => ip)),
    );
    expect(fabricated.length).toBeGreaterThanOrEqual(4);
    expect(new Set(fabricated.map(({ member }) => member))).toEqual(new Set(['gopax']));
    expect(fabricated.every(({ rows }) => rows.every(({ ip }) => victims.has(ip)))).toBe(true);
    expect(lentOf(seen)).toEqual([]);
  });
});
