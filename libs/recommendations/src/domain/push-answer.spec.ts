import { judgePush, type PushAnswer } from './push-answer.js';

const answer = (status: number, body = '', retryAfterSeconds: number | null = null): PushAnswer => ({
  status,
  body,
  retryAfterSeconds,
});

describe('judgePush', () => {
  it.each<{ name: string; answer: PushAnswer; kind: string }>([
    { name: '202', answer: answer(202), kind: 'acknowledged' },
    { name: '200 with HTML', answer: answer(200, '<html>'), kind: 'retry' },
    { name: '302', answer: answer(302), kind: 'retry' },
    { name: '400 with an err', answer: answer(400, '{"err":"invalid_audience","description":"not us"}'), kind: 'dead' },
    { name: '400 without an err', answer: answer(400, 'no'), kind: 'retry' },
    { name: '401', answer: answer(401), kind: 'retry' },
    { name: '500', answer: answer(500), kind: 'retry' },
    { name: 'no answer', answer: { failure: 'connection refused' }, kind: 'retry' },
  ])('$name: $kind', ({ answer, kind }) => {
    expect(judgePush(answer, 1, 0.5).kind).toBe(kind);
  });

  it('waits longer each time, and at least as long as asked', () => {
    const wait = (attempts: number, a = answer(500)) => {
      const verdict = judgePush(a, attempts, 1);
      return verdict.kind === 'retry' ? verdict.afterSeconds : -1;
    };
    expect([1, 2, 3].map((n) => wait(n))).toEqual([2, 4, 8]);
    expect(wait(1, answer(429, '', 90))).toBe(90);
    expect(wait(19)).toBe(3600);
    expect(wait(5000)).toBe(3600);
  });
});
