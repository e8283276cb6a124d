/**
 * Keeps what a lookup answered for a while, per key; at the same time asked twice, it looks up once. A failure is not
 * kept. Elapsed time is measured by a monotonic counter and not by the process's clock: a simulated clock that stands
 * still must not keep an answer for ever.
 */
export class TimedCache<K, V> {
  private readonly kept = new Map<K, { value: Promise<V>; until: number }>();

  /**
   * @param lifeMs how long an answer is good for, ms of real time
   * @param most entries kept; the oldest goes first
   * @param elapsed a monotonic counter, ms
   */
  constructor(
    private readonly lifeMs: number,
    private readonly most = 10_000,
    private readonly elapsed: () => number = () => performance.now(),
  ) {}

  get(key: K, look: () => Promise<V>): Promise<V> {
    const found = this.kept.get(key);
    if (found && this.elapsed() < found.until) return found.value;
    const value = look();
    const entry = { value, until: this.elapsed() + this.lifeMs };
    this.kept.delete(key);
    this.kept.set(key, entry);
    value.catch(() => {
      if (this.kept.get(key) === entry) this.kept.delete(key);
    });
    if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value!);
    return value;
  }

  forget(key: K): void {
    this.kept.delete(key);
  }
}
