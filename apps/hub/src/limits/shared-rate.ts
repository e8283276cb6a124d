import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Database, Principal } from '@app/infrastructure/database';

const GATE: Principal = { kind: 'gate', name: 'rates' };
const WINDOW_S = 60;
/** A process takes this part of a minute's requests from the shared count at once, and spends it by itself. */
const PORTIONS = 40;
/** After this long without the shared count the process counts alone, ms. */
const STORE_MS = 1000;
/** Callers that are remembered; the one that was seen first goes when there are more. */
const MOST_KEYS = 20_000;

/** What a process may still let through before it asks again: 0 where the minute is used up. */
interface Portion {
  left: number;
  /** End of the minute, ms since 1970. */
  until: number;
}

/**
 * Requests a minute, counted in PostgreSQL over all processes of a hub. A process draws them in portions, so that few
 * requests cost a statement, and none does once a caller has used up its minute. Never more than the limit are let
 * through; of a portion that is not used up within its minute the rest is lost. Without PostgreSQL each process counts
 * for itself.
 */
export class SharedRate {
  private readonly portions = new Map<string, Portion>();
  private readonly drawing = new Map<string, Promise<void>>();
  private readonly limiter: RateLimiterPostgres;
  private readonly size: number;

  /** @param name tells this count's keys from others' */
  constructor(database: Database, name: string, perMinute: number) {
    this.size = Math.max(1, Math.floor(perMinute / PORTIONS));
    const query = ({ text, values }: { text: string; values: unknown[] }) =>
      inTime(database.transaction(GATE, (tx) => tx.query<unknown[]>(text, values))).then((rows) => ({ rows }));
    const window = { keyPrefix: name, points: perMinute, duration: WINDOW_S };
    this.limiter = new RateLimiterPostgres({
      ...window,
      storeClient: { query },
      storeType: 'client',
      tableName: 'rate_counters',
      tableCreated: true,
      insuranceLimiter: new RateLimiterMemory(window),
    });
  }

  /** Counts one request. @returns 0 when it may pass, otherwise how long to wait, ms */
  async spend(key: string): Promise<number> {
    for (;;) {
      const portion = this.current(key);
      if (portion?.left === 0) return portion.until - Date.now();
      if (portion) {
        if (--portion.left === 0) this.portions.delete(key);
        return 0;
      }
      await this.draw(key);
    }
  }

  /** How long a caller that has used up its minute has to wait, ms, as far as this process knows; 0 for anybody else. */
  blockedFor(key: string): number {
    const portion = this.current(key);
    return portion?.left === 0 ? portion.until - Date.now() : 0;
  }

  private current(key: string): Portion | null {
    const portion = this.portions.get(key);
    return portion && portion.until > Date.now() ? portion : null;
  }

  /** Draws a portion, once for all who wait for it. */
  private draw(key: string): Promise<void> {
    let drawn = this.drawing.get(key);
    if (!drawn) {
      drawn = this.drawOne(key).finally(() => this.drawing.delete(key));
      this.drawing.set(key, drawn);
    }
    return drawn;
  }

  private async drawOne(key: string): Promise<void> {
    const { left, msBeforeNext } = await this.limiter.consume(key, this.size).then(
      ({ msBeforeNext }) => ({ left: this.size, msBeforeNext }),
      (refused: unknown) => {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        return { left: 0, msBeforeNext: refused.msBeforeNext };
      },
    );
    const [oldest] = this.portions.keys();
    if (this.portions.size >= MOST_KEYS && oldest !== undefined) this.portions.delete(oldest);
    // At least a moment: a portion of a minute that ends just now is still one request's.
    this.portions.set(key, { left, until: Date.now() + Math.max(msBeforeNext, 10) });
  }
}

/** @throws when it takes longer than the limiter waits for the shared count */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the shared count is late')), STORE_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
