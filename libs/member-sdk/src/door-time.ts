/** Most by which a door's time is allowed for, milliseconds: beyond, a clock is wrong, not a little off. */
export const MAX_ALLOWANCE_MS = 300_000;
/** `Date` counts whole seconds, and servers may keep it for one more. */
const RESOLUTION_MS = 1_000;

/**
 * The time as one door has it, learnt from the `Date` of its answers (RFC 9110, 6.6.1). What is signed for a door bears
 * the door's time, so that a clock that is minutes off stops nothing; one that is further off is left as it is, and
 * {@link trouble} says so.
 */
export class DoorTime {
  private offset: number | null = null;

  /** @param local this machine's time, milliseconds since 1970 */
  constructor(private readonly local: () => number) {}

  /** The door's time as far as it is known and allowed for, milliseconds since 1970. */
  now(): number {
    const { offset } = this;
    return this.local() + (offset !== null && Math.abs(offset) <= MAX_ALLOWANCE_MS ? offset : 0);
  }

  /** Milliseconds by which the door is ahead of this machine; null before the first answer. 0 when they agree. */
  get offsetMs(): number | null {
    return this.offset;
  }

  /** What a person is to be told where the two are too far apart; null where they are not. */
  get trouble(): string | null {
    return this.offset === null || Math.abs(this.offset) <= MAX_ALLOWANCE_MS ? null : describeOffset(this.offset);
  }

  /**
   * @param date the answer's `Date`, milliseconds since 1970
   * @param sentAt when the call began, by this machine
   * @returns whether this changed what {@link now} tells
   */
  learn(date: number, sentAt: number): boolean {
    if (!Number.isFinite(date)) return false;
    const least = date - RESOLUTION_MS - this.local();
    const most = date + 2 * RESOLUTION_MS - sentAt;
    // A long call leaves the moment of its Date open: what was known stays as long as nothing speaks against it.
    const known = this.offset ?? 0;
    const before = this.now();
    this.offset = known >= least && known <= most ? known : Math.round((least + most) / 2);
    return Math.abs(this.now() - before) > RESOLUTION_MS;
  }
}

/** An offset in words. @param offsetMs as {@link DoorTime.offsetMs} */
export function describeOffset(offsetMs: number): string {
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  return `this machine's clock is ${seconds} s ${offsetMs > 0 ? 'behind' : 'ahead of'} the other side's; set it (NTP)`;
}
