import fc from 'fast-check';
import { summariseDay, type HourUse } from './summarise-day.js';

const HOUR_0 = 20_605 * 24;

function hour(more: Partial<HourUse>): HourUse {
  return {
    key: 1,
    ip: 1,
    prefix: 1,
    client: 1,
    hour: HOUR_0,
    network: 'hosting',
    lists: 0,
    requests: 10,
    orders: 1,
    rejected: 0,
    activeSlots: 1,
    burstSlots: 0,
    ...more,
  };
}

describe('summariseDay', () => {
  it('adds up the hours of one key, IP, client and day', () => {
    const { uses } = summariseDay([
      hour({ hour: HOUR_0 + 2, requests: 5, orders: 2, rejected: 1, lists: 1 }),
      hour({ hour: HOUR_0 + 23, requests: 7, orders: 3, network: 'vpn' }),
    ]);
    expect(uses).toEqual([
      {
        key: 1,
        ip: 1,
        client: 1,
        day: 20_605,
        hours: (1 << 2) | (1 << 23),
        requests: 12,
        orders: 5,
        rejected: 1,
        network: 'vpn',
        lists: 1,
      },
    ]);
  });

  it('keeps days, IPs and clients apart', () => {
    const { uses, keyDays } = summariseDay([
      hour({}),
      hour({ hour: HOUR_0 + 24 }),
      hour({ ip: 2 }),
      hour({ client: 2 }),
    ]);
    expect(uses).toHaveLength(4);
    expect(keyDays.map(({ day }) => day)).toEqual([20_605, 20_606]);
  });

  it('places bursts in the windows of the day', () => {
    const { keyDays } = summariseDay([hour({ hour: HOUR_0 + 3, activeSlots: 0b110, burstSlots: 0b100 })]);
    const set = [...keyDays[0]!.bursts].flatMap((byte, i) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((b) => (byte >> b) & 1).map((b) => i * 8 + b),
    );
    expect(set).toEqual([3 * 12 + 2]);
    expect(keyDays[0]).toMatchObject({ active: 2, concurrent: 0 });
  });

  it.each([
    ['two prefixes and two clients', { ip: 2, prefix: 2, client: 2 }, 1],
    ['two prefixes, one client', { ip: 2, prefix: 2 }, 0],
    ['two addresses of one prefix', { ip: 2, client: 2 }, 0],
    ['another window', { ip: 2, prefix: 2, client: 2, activeSlots: 2 }, 0],
  ])('counts concurrent windows: %s', (_name, second, concurrent) => {
    const { keyDays } = summariseDay([hour({}), hour(second)]);
    expect(keyDays[0]!.concurrent).toBe(concurrent);
  });

  it('gives the same whatever the order of the rows', () => {
    const row = fc.record({
      key: fc.integer({ min: 1, max: 2 }),
      ip: fc.integer({ min: 1, max: 3 }),
      client: fc.integer({ min: 1, max: 2 }),
      hour: fc.integer({ min: HOUR_0, max: HOUR_0 + 47 }),
      requests: fc.integer({ min: 1, max: 9 }),
      activeSlots: fc.integer({ min: 0, max: 4095 }),
    });
    const unique = fc.uniqueArray(row, { selector: (r) => `${r.key}/${r.ip}/${r.client}/${r.hour}`, maxLength: 30 });
    fc.assert(
      fc.property(unique, fc.infiniteStream(fc.nat()), (rows, keys) => {
        const full = rows.map((r) => hour({ ...r, prefix: r.ip, burstSlots: r.activeSlots & 5 }));
        const shuffled = full
          .map((r) => ({ r, k: keys.next().value as number }))
          .sort((a, b) => a.k - b.k)
          .map(({ r }) => r);
        expect(summariseDay(shuffled)).toEqual(summariseDay(full));
      }),
    );
  });
});
