import fc from 'fast-check';
import { Random } from './random.js';

const mean = (count: number, draw: () => number) =>
  Array.from({ length: count }, draw).reduce((sum, value) => sum + value, 0) / count;

describe('seeded randomness', () => {
  it('gives equal streams for equal labels only', () => {
    const draw = (...labels: (string | number)[]) => {
      const random = new Random(...labels);
      return [random.bits(), random.bits(), random.bits()];
    };
    expect(draw('lane', 7, 3)).toEqual(draw('lane', 7, 3));
    expect(draw('lane', 7, 3)).not.toEqual(draw('lane', 73));
    expect(draw('lane', 7)).not.toEqual(draw('lane', '7'));
  });

  it('keeps neighbouring labels apart', () => {
    const firsts = Array.from({ length: 2000 }, (_, label) => new Random('x', label).next());
    expect(new Set(firsts).size).toBeGreaterThan(1990);
    expect(mean(2000, () => firsts.pop()!)).toBeCloseTo(0.5, 1);
  });

  it('has the means it is asked for', () => {
    const random = new Random('means');
    expect(mean(20_000, () => random.poisson(2.5))).toBeCloseTo(2.5, 1);
    expect(mean(20_000, () => random.poisson(80)) / 80).toBeCloseTo(1, 2);
    expect(mean(20_000, () => random.exponential(3)) / 3).toBeCloseTo(1, 1);
    expect(mean(20_000, () => (random.lognormal(20, 0.8) < 20 ? 1 : 0))).toBeCloseTo(0.5, 1);
    expect(mean(20_000, () => random.weighted([1, 3]))).toBeCloseTo(0.75, 1);
  });

  it('stays within bounds', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -50, max: 50 }), fc.nat(100), (seed, from, width) => {
        const random = new Random(seed);
        const value = random.whole(from, from + width);
        return value >= from && value <= from + width && random.next() < 1;
      }),
    );
  });

  it('shuffles without losing anything', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer()), (seed, items) => {
        const shuffled = new Random(seed).shuffled(items);
        expect([...shuffled].sort()).toEqual([...items].sort());
      }),
    );
  });
});
