import { boundsOf, periodOf } from './period.js';

describe('periods', () => {
  it('are months of Seoul', () => {
    expect(periodOf(Date.parse('2026-06-30T14:59:59Z'))).toBe('2026-06');
    expect(periodOf(Date.parse('2026-06-30T15:00:00Z'))).toBe('2026-07');
    expect(boundsOf('2026-12')).toEqual({
      from: new Date('2026-11-30T15:00:00Z'),
      to: new Date('2026-12-31T15:00:00Z'),
    });
  });

  it.each(['2026-13', '2026-6', 'June', ''])('refuse "%s"', (period) => {
    expect(() => boundsOf(period)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });
});
