import { BongsuError } from '@app/protocol';

/** A caller that asks too much; it may ask again later. */
export class RateLimited extends BongsuError {
  /** Whole seconds, at least 1: the answer's Retry-After. */
  readonly retryAfter: number;

  constructor(waitMs: number) {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    super('RATE_LIMITED', `Too many requests; try again in ${seconds} s.`);
    this.retryAfter = seconds;
  }
}
