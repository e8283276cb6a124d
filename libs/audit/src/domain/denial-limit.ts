/** What becomes of one more refusal: a row of its own, the one row that says there are too many, or none. */
export type DenialVerdict = 'record' | 'flood' | 'silent';

/** Most addresses that are counted apart. */
const MOST_ADDRESSES = 10_000;

/**
 * Bounds how many refusals are recorded, so that a flood of them neither fills the audit nor costs a write each. Counts
 * per address, and in all, within windows that follow one another.
 */
export class DenialLimit {
  private since = -Infinity;
  private total = 0;
  private readonly counts = new Map<string, number>();

  /**
   * @param perAddress rows of one address in a window, before the one that says "flood"
   * @param inAll the same over all addresses
   * @param windowMs length of a window, ms
   */
  constructor(
    private readonly perAddress: number,
    private readonly inAll: number,
    private readonly windowMs: number,
  ) {}

  /** Counts one more refusal. @param now milliseconds of any monotonic count */
  count(address: string, now: number): DenialVerdict {
    if (now - this.since >= this.windowMs) {
      this.since = now;
      this.total = 0;
      this.counts.clear();
    }
    const known = this.counts.get(address) ?? 0;
    const ofAddress = known + 1;
    if (known > 0 || this.counts.size < MOST_ADDRESSES) this.counts.set(address, ofAddress);
    if (ofAddress > this.perAddress + 1) return 'silent';
    this.total++;
    if (this.total > this.inAll) return this.total === this.inAll + 1 ? 'flood' : 'silent';
    return ofAddress === this.perAddress + 1 ? 'flood' : 'record';
  }
}
