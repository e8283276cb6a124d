/** When to try again after failures: doubling from `least` to `most` real milliseconds, or as the door said. */
export class Backoff {
  private failures = 0;
  private until = 0;

  constructor(
    private readonly least: number,
    private readonly most: number,
  ) {}

  /** Whether the time has come. */
  get due(): boolean {
    return performance.now() >= this.until;
  }

  /** Real milliseconds until then. */
  get wait(): number {
    return Math.max(0, this.until - performance.now());
  }

  /** @param retryAfterMs what the door asked for, if it did */
  failed(retryAfterMs: number | null = null): void {
    const doubled = Math.min(this.most, this.least * 2 ** Math.min(this.failures++, 20));
    this.until = performance.now() + Math.max(doubled, Math.min(retryAfterMs ?? 0, 3_600_000));
  }

  reset(): void {
    this.failures = 0;
    this.until = 0;
  }
}
