import { TimedCache } from './timed-cache.js';

describe('a timed cache', () => {
  const setUp = (life = 100, most = 10) => {
    const time = { now: 0 };
    let looked = 0;
    const cache = new TimedCache<string, number>(life, most, () => time.now);
    return { time, cache, look: async () => ++looked };
  };

  it('answers from memory until the time is over', async () => {
    const { time, cache, look } = setUp();
    expect(await cache.get('a', look)).toBe(1);
    time.now = 99;
    expect(await cache.get('a', look)).toBe(1);
    time.now = 100;
    expect(await cache.get('a', look)).toBe(2);
  });

  it('looks up once when asked twice at the same time', async () => {
    const { cache, look } = setUp();
    expect(await Promise.all([cache.get('a', look), cache.get('a', look)])).toEqual([1, 1]);
  });

  it('does not keep a failure', async () => {
    const { cache, look } = setUp();
    await expect(cache.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await cache.get('a', look)).toBe(1);
  });

  it('a late failure does not push out what was looked up meanwhile', async () => {
    const { cache, look } = setUp();
    let fail!: (error: Error) => void;
    const slow = cache.get('a', () => new Promise<number>((_, reject) => (fail = reject)));
    cache.forget('a');
    expect(await cache.get('a', look)).toBe(1);
    fail(new Error('away'));
    await expect(slow).rejects.toThrow('away');
    expect(await cache.get('a', look)).toBe(1);
  });

  it('forgets what it is told to, and the oldest when it is full', async () => {
    const { cache, look } = setUp(100, 2);
    await cache.get('a', look);
    await cache.get('b', look);
    cache.forget('b');
    expect(await cache.get('b', look)).toBe(3);
    await cache.get('c', look);
    expect(await cache.get('b', look)).toBe(3);
    expect(await cache.get('a', look)).toBe(5);
  });
});
