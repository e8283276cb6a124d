import { RECOMMENDATION_STATES, TRANSITIONS } from './recommendation.js';

describe('transitions', () => {
  it('reach every state from issued', () => {
    const reached = new Set(['issued']);
    for (const _ of RECOMMENDATION_STATES)
      for (const state of RECOMMENDATION_STATES)
        if (TRANSITIONS[state].some((from) => reached.has(from))) reached.add(state);
    expect([...reached].sort()).toEqual([...RECOMMENDATION_STATES].sort());
  });

  it('never leave executed or declined', () => {
    for (const state of RECOMMENDATION_STATES) {
      expect(TRANSITIONS[state]).not.toContain('executed');
      expect(TRANSITIONS[state]).not.toContain('declined');
    }
  });
});
