/** What to do with one more thing of a caller: let it through, let it through as the last with a mark, or drop it. */
export type Admission = 'through' | 'last' | 'dropped';

/** Bounds how many things of one caller come through in a window of time; callers do not touch each other. */
export class FloodGate {
  private readonly windows = new Map<string, { until: number; count: number }>();

  /**
   * @param most things of one caller that come through in a window
   * @param windowMs length of a window
   * @param remembered callers that are kept in mind; beyond it the one seen first is forgotten
   */
  constructor(
    private readonly most: number,
    private readonly windowMs: number,
    private readonly remembered = 10_000,
  ) {}

  /** @param now ms, of any clock that does not run backwards */
  admit(caller: string, now: number): Admission {
    const open = this.windows.get(caller);
    if (!open || now >= open.until) {
      this.windows.delete(caller);
      if (this.windows.size >= this.remembered) this.windows.delete(this.windows.keys().next().value!);
      this.windows.set(caller, { until: now + this.windowMs, count: 1 });
      return this.most > 1 ? 'through' : 'last';
    }
    open.count++;
    if (open.count > this.most) return 'dropped';
    return open.count === this.most ? 'last' : 'through';
  }
}
