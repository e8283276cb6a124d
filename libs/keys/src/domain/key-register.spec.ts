import {
  OVERLAP_MS,
  PUBLISHED_BEFORE_MS,
  retirement,
  signingKid,
  verifiesAt,
  type RegisteredKey,
} from './key-register.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const key = (kid: string, retired: number | null = null, created = -1e9, stolen = false): RegisteredKey => ({
  kid,
  alg: 'ES256',
  jwk: {},
  createdAt: new Date(NOW + created),
  retiredAt: retired === null ? null : new Date(NOW + retired),
  stolen,
});

describe('which key signs', () => {
  it.each<[string, string[], RegisteredKey[], string | null]>([
    ['the first', ['a', 'b'], [key('b'), key('a')], 'a'],
    ['the next, once the first is being retired', ['a', 'b'], [key('a', 1000), key('b')], 'b'],
    ['the one that there is, until it is refused', ['a'], [key('a', 1), key('b')], 'a'],
    ['none that is refused', ['a'], [key('a', 0), key('b')], null],
    ['the one that verifies longest by choice, not one that is gone', ['a', 'b'], [key('a', 0), key('b', 5)], 'b'],
    ['none that the register does not know', ['c'], [key('a')], null],
  ])('%s', (_what, own, register, kid) => {
    expect(signingKid(own, register, NOW)).toBe(kid);
  });
});

describe('a key that is retired', () => {
  it('verifies for the overlap, then no longer', () => {
    const at = retirement([key('a'), key('b')], 'a', false, NOW);
    expect(at.getTime()).toBe(NOW + OVERLAP_MS);
    const retiring = { ...key('a'), retiredAt: at };
    expect([verifiesAt(retiring, NOW + OVERLAP_MS - 1), verifiesAt(retiring, NOW + OVERLAP_MS)]).toEqual([true, false]);
  });

  it('is refused at once when it was stolen, also without another, and during its overlap', () => {
    expect(retirement([key('a')], 'a', true, NOW).getTime()).toBe(NOW);
    expect(retirement([key('a', 5000), key('b')], 'a', true, NOW).getTime()).toBe(NOW);
    expect(retirement([key('a', -5000), key('b')], 'a', true, NOW).getTime()).toBe(NOW - 5000);
  });

  it.each<[string, RegisteredKey[], boolean, string]>([
    ['an unknown one', [key('b')], false, 'NOT_FOUND'],
    ['the only one', [key('a'), key('b', 1000)], false, 'BAD_INPUT'],
    [
      'one whose successor is not known to everyone yet',
      [key('a'), key('b', null, 1 - PUBLISHED_BEFORE_MS)],
      false,
      'BAD_INPUT',
    ],
    ['one that is retired', [key('a', 1000), key('b')], false, 'BAD_INPUT'],
    ['one that is known as stolen', [key('a', 1000, -1e9, true), key('b')], true, 'BAD_INPUT'],
  ])('is not retired: %s', (_what, register, stolen, code) => {
    expect(() => retirement(register, 'a', stolen, NOW)).toThrow(expect.objectContaining({ code, where: 'kid' }));
  });
});
