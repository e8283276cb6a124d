/*
 * job: a typed request to do some work soon. It says when to work, never what is true: a lost or doubled job changes
 *   nothing, because what is to do stands in tables and every handler looks there.
 * wake: adding a job.
 * sweep: the timed job that wakes all others, in case a job was lost.
 */

/** A kind of job and, in its type, what its payload is. */
export interface JobKind<Payload> {
  readonly name: string;
  /** How many of it one worker process runs at once. */
  readonly concurrency: number;
  /** Never set: carries the type. */
  readonly payload?: Payload;
}

export function jobKind<Payload>(name: string, concurrency = 1): JobKind<Payload> {
  return { name, concurrency };
}

/** Where jobs are woken. */
export abstract class Jobs {
  /**
   * Adds a job. With `once`, jobs of the same text are one while they wait; one that arrives while its like is running
   * runs after it. Never fails: a wake that is lost is made good by the sweep.
   */
  abstract wake<P extends object>(kind: JobKind<P>, payload: P, once?: string): Promise<void>;
}

/** How many jobs of a queue are in a state. */
export interface QueueCount {
  queue: string;
  state: string;
  count: number;
}

/** What stands in the queues: for those who watch them. */
export abstract class Queues {
  /** @throws when what keeps the queues is away */
  abstract counts(): Promise<QueueCount[]>;
}

/** Jobs for tests: remembers what was woken. */
export class FakeJobs extends Jobs {
  readonly woken: { name: string; payload: object }[] = [];

  async wake<P extends object>(kind: JobKind<P>, payload: P): Promise<void> {
    this.woken.push({ name: kind.name, payload });
  }
}
