import { addressKey } from '@app/identity';
import { Turns } from './turns.js';

describe('turns', () => {
  const settled = async (work: Promise<boolean>) => Promise.race([work, new Promise((r) => setImmediate(r, 'waits'))]);

  it('go to so many at once, then to those who wait in their order, and leave other callers alone', async () => {
    const turns = new Turns(2, 2);
    expect([await turns.enter('a'), await turns.enter('a')]).toEqual([true, true]);
    const order: string[] = [];
    const third = turns.enter('a').then(() => order.push('third'));
    const fourth = turns.enter('a').then(() => order.push('fourth'));
    expect(await turns.enter('a')).toBe(false);
    expect(await settled(turns.enter('b'))).toBe(true);
    expect(order).toEqual([]);
    turns.leave('a');
    await third;
    turns.leave('a');
    await fourth;
    expect(order).toEqual(['third', 'fourth']);
    turns.leave('a');
    turns.leave('a');
    expect([await settled(turns.enter('a')), await settled(turns.enter('a'))]).toEqual([true, true]);
    expect(await settled(turns.enter('a'))).toBe('waits');
  });
});

describe('an address counts', () => {
  it.each<[string | undefined, string]>([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::1', '2001:db8:1:2::/64'],
    ['no address', 'unknown'],
    [undefined, 'unknown'],
  ])('%s as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});
