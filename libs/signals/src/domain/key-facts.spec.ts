import fc from 'fast-check';
import { mergeFacts, type StoredFacts } from './key-facts.js';

const facts = (over: Partial<StoredFacts> = {}): StoredFacts => ({
  ownerId: 7,
  accountType: 0,
  permissions: 1,
  createdAt: 100,
  expiresAt: null,
  sequence: 1,
  ...over,
});

const anyFacts = fc.record({
  ownerId: fc.integer({ min: 1, max: 3 }),
  accountType: fc.integer({ min: 0, max: 3 }),
  permissions: fc.integer({ min: 0, max: 7 }),
  createdAt: fc.integer({ min: 1, max: 9 }),
  expiresAt: fc.option(fc.integer({ min: 10, max: 20 }), { nil: null }),
  sequence: fc.integer({ min: 1, max: 1000 }),
});

describe('mergeFacts', () => {
  it('finds no conflict in the same facts sent again', () => {
    expect(mergeFacts(facts(), facts({ sequence: 5 }))).toEqual({ conflict: false, facts: facts() });
  });

  it.each([
    {
      name: 'a market maker that was an individual stays unprotected',
      second: { accountType: 2 },
      stands: { accountType: 0 },
    },
    { name: 'a read-only key that may trade may trade', second: { permissions: 2 }, stands: { permissions: 3 } },
    { name: 'the earlier end stands', second: { expiresAt: 500 }, stands: { expiresAt: 500 } },
    { name: 'the first owner stands', second: { ownerId: 8 }, stands: { ownerId: 7 } },
  ])('$name', ({ second, stands }) => {
    const merged = mergeFacts(facts(), facts({ sequence: 2, ...second }));
    expect(merged.conflict).toBe(true);
    expect(merged.facts).toMatchObject(stands);
  });

  it('does not depend on the order of arrival', () => {
    fc.assert(
      fc.property(anyFacts, anyFacts, (a, b) => {
        fc.pre(a.sequence !== b.sequence);
        expect(mergeFacts(a, b)).toEqual(mergeFacts(b, a));
      }),
    );
  });
});
