/**
 * Who works at once: so many pieces of work of one caller, the others wait in their order. A caller that asks for much
 * at the same time slows itself, and leaves the rest of the hub to others.
 */
export class Turns {
  private readonly running = new Map<string, number>();
  private readonly waiting = new Map<string, (() => void)[]>();

  /**
   * @param most pieces of work of one caller at once
   * @param queue how many more may wait
   */
  constructor(
    private readonly most: number,
    private readonly queue: number,
  ) {}

  /** Waits for a turn; whoever gets one gives it back with {@link leave}. @returns false when too many wait already */
  async enter(caller: string): Promise<boolean> {
    const running = this.running.get(caller) ?? 0;
    if (running < this.most) {
      this.running.set(caller, running + 1);
      return true;
    }
    const queue = this.waiting.get(caller) ?? [];
    if (queue.length >= this.queue) return false;
    this.waiting.set(caller, queue);
    await new Promise<void>((resolve) => queue.push(resolve));
    return true;
  }

  /** Gives a turn back: the one that waits longest has it. */
  leave(caller: string): void {
    const queue = this.waiting.get(caller);
    const next = queue?.shift();
    if (queue?.length === 0) this.waiting.delete(caller);
    if (next) return next();
    const running = (this.running.get(caller) ?? 1) - 1;
    if (running > 0) this.running.set(caller, running);
    else this.running.delete(caller);
  }
}
