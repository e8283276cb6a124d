import type { Rejection } from '@app/protocol';
import { sentIndex } from './batch.js';

const refused = (...at: number[]): Rejection[] =>
  at.map((index) => ({ section: 'keyFacts', index, code: 'INTERVAL_INVALID', message: '' }));

describe('sentIndex', () => {
  it.each([
    { name: 'nothing refused', refused: refused(), accepted: 3, sent: 3 },
    { name: 'the first refused', refused: refused(0), accepted: 0, sent: 1 },
    { name: 'two before, one after', refused: refused(1, 0, 9), accepted: 1, sent: 3 },
  ])('$name', ({ refused, accepted, sent }) => {
    expect(sentIndex('keyFacts', accepted, refused)).toBe(sent);
  });

  it('looks at its own section only', () => {
    expect(sentIndex('observations', 2, refused(0, 1))).toBe(2);
  });
});
