import { checkHandlers } from './handlers.js';
import { jobKind } from './jobs.js';

describe('jobs and their processors', () => {
  const kinds = [jobKind('fold'), jobKind('assess')];

  it('fit where each job has one', () => {
    expect(() => checkHandlers(kinds, ['assess', 'fold'])).not.toThrow();
  });

  it.each([
    ['a job without one', ['fold'], 'assess'],
    ['a job with two', ['fold', 'assess', 'fold'], 'fold'],
    ['one for what is no job', ['fold', 'assess', 'retain'], 'retain'],
  ])('are refused with %s', (_what, processors, where) => {
    expect(() => checkHandlers(kinds, processors)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', where }));
  });
});
