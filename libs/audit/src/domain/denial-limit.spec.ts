import { DenialLimit, type DenialVerdict } from './denial-limit.js';

const counted = (verdicts: DenialVerdict[]) => ({
  record: verdicts.filter((v) => v === 'record').length,
  flood: verdicts.filter((v) => v === 'flood').length,
});
const times = (n: number, one: (i: number) => DenialVerdict) => Array.from({ length: n }, (_, i) => one(i));

describe('refusals that are recorded', () => {
  it('are bounded for an address, with one row that says so, and start anew with the next window', () => {
    const limit = new DenialLimit(3, 100, 1000);
    expect(times(10, () => limit.count('a', 0))).toEqual([
      'record',
      'record',
      'record',
      'flood',
      ...Array(6).fill('silent'),
    ]);
    expect(limit.count('b', 999)).toBe('record');
    expect(limit.count('a', 999)).toBe('silent');
    expect(limit.count('a', 1000)).toBe('record');
  });

  it('are bounded over all addresses too', () => {
    const limit = new DenialLimit(3, 20, 1000);
    expect(counted(times(500, (i) => limit.count(`address ${i}`, 0)))).toEqual({ record: 20, flood: 1 });
    expect(limit.count('another', 1000)).toBe('record');
  });
});
