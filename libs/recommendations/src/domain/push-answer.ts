/** What a member's endpoint answered to a pushed event, or that it did not answer. */
export type PushAnswer = { status: number; body: string; retryAfterSeconds: number | null } | { failure: string };

/** What follows: done; again later (with the shortest wait, seconds); or never, with a plain reason. */
export type PushVerdict =
  { kind: 'acknowledged' } | { kind: 'retry'; reason: string; afterSeconds: number } | { kind: 'dead'; reason: string };

const FIRST_WAIT_SECONDS = 2;
const LONGEST_WAIT_SECONDS = 3600;

/**
 * RFC 8935: 202 with an empty body is success, 400 with `err` says that the event itself is at fault and sending it
 * again would not help; everything else may recover, and is
 * tried again for as long as it takes, in the end once an hour.
 * @param attempts made so far, this one included
 * @param jitter 0 to 1: spreads the waits of many events
 */
export function judgePush(answer: PushAnswer, attempts: number, jitter: number): PushVerdict {
  const again = (reason: string, least = 0): PushVerdict => {
    const wait = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (attempts - 1)) * (0.5 + jitter / 2);
    return { kind: 'retry', reason, afterSeconds: Math.max(least, wait) };
  };
  if ('failure' in answer) return again(answer.failure);
  if (answer.status === 202) return { kind: 'acknowledged' };
  if (answer.status === 400) {
    const refusal = refusalOf(answer.body);
    return refusal
      ? { kind: 'dead', reason: `the receiver refused it: ${refusal}` }
      : again('answered 400 without a reason (RFC 8935 wants "err")');
  }
  if (answer.status >= 300 && answer.status < 400)
    return again(`answered ${answer.status}; redirects are not followed: register the endpoint's real URL`);
  if (answer.status >= 200 && answer.status < 300)
    return again(`answered ${answer.status} where RFC 8935 wants 202: is this the right URL?`);
  return again(`answered ${answer.status}`, answer.retryAfterSeconds ?? 0);
}

function refusalOf(body: string): string | null {
  try {
    const { err, description } = JSON.parse(body) as { err?: unknown; description?: unknown };
    return typeof err === 'string' ? `${err.slice(0, 60)} ${String(description ?? '').slice(0, 200)}`.trim() : null;
  } catch {
    return null;
  }
}
