import { Database } from '@app/infrastructure/database';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';
import { SharedRate } from './shared-rate.js';

class AwayDatabase extends Database {
  asked = 0;
  transaction(): Promise<never> {
    this.asked++;
    return Promise.reject(new Error('away'));
  }
  ping(): Promise<void> {
    return Promise.reject(new Error('away'));
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

const passed = async (rate: SharedRate, key: string, times: number) =>
  (await Promise.all(Array.from({ length: times }, () => rate.spend(key)))).filter((wait) => wait === 0).length;

describe('a rate that processes share', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db?.close());

  it('lets through its limit over all processes, and tells the others how long to wait', async () => {
    const [one, two] = [new SharedRate(db.hub, 'exact', 30), new SharedRate(db.hub, 'exact', 30)];
    const [a, b] = await Promise.all([passed(one, 'upbit', 25), passed(two, 'upbit', 25)]);
    expect(a + b).toBe(30);
    for (const rate of [one, two]) {
      const wait = await rate.spend('upbit');
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(60_000);
      expect(rate.blockedFor('upbit')).toBeGreaterThan(0);
    }
    expect(await one.spend('bithumb')).toBe(0);
    expect(one.blockedFor('bithumb')).toBe(0);
  });

  it('never lets through more than its limit where processes draw portions', async () => {
    const rates = [1, 2, 3].map(() => new SharedRate(db.hub, 'portions', 400));
    const counts = await Promise.all(rates.map((rate) => passed(rate, 'upbit', 300)));
    const all = counts.reduce((sum, n) => sum + n, 0);
    expect(all).toBeLessThanOrEqual(400);
    // What a portion of each process may lose.
    expect(all).toBeGreaterThan(400 - 3 * 10);
  });

  it('asks PostgreSQL once for a portion, and not at all for a caller that is over', async () => {
    let asked = 0;
    const counting = Object.assign(Object.create(db.hub) as Database, {
      transaction: (...args: Parameters<Database['transaction']>) => (asked++, db.hub.transaction(...args)),
    });
    const rate = new SharedRate(counting, 'counted', 400);
    expect(await passed(rate, 'upbit', 100)).toBe(100);
    expect(asked).toBe(10);
    await passed(rate, 'upbit', 400);
    const whenOver = asked;
    expect(await passed(rate, 'upbit', 1000)).toBe(0);
    expect(asked).toBe(whenOver);
  });

  it('counts alone while PostgreSQL is away', async () => {
    const away = new AwayDatabase();
    const rate = new SharedRate(away, 'away', 20);
    expect(await passed(rate, 'upbit', 50)).toBe(20);
    expect(away.asked).toBeGreaterThan(0);
  });
});
