import { writeClockFile } from '@app/infrastructure/clock';
import type { KeyRecord } from '@app/protocol';
import { readKeys } from '@app/simulation';
import type { HubApi } from '../api/hub-api.js';
import { toAccessLog } from './access-log.js';
import type { Exchange } from './exchange.js';
import type { Feed } from './feed.js';
import { keysAsOf } from './key-list.js';
import { settle } from './settle.js';

/** Time stands half an hour after a step's end: its last hour is complete then, also for a gateway's log. */
const AFTER_STEP_MS = 30 * 60_000;

export interface Progress {
  step: number;
  steps: number;
  /** Simulated time, ISO 8601. */
  at: string;
}

/** Lives a population through: step by step its usage is fed, time moves on, and everything is waited for. */
export async function liveThrough(
  dir: string,
  feed: Feed,
  exchanges: readonly Exchange[],
  staff: HubApi,
  clockFile: string,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  const keys = new Map<string, KeyRecord[]>();
  for (const { name } of exchanges) keys.set(name, await collect(readKeys(dir, name)));
  for (let step = 0; step < feed.steps; step++) {
    const at = feed.endOf(step) + AFTER_STEP_MS;
    writeClockFile(clockFile, at);
    for (const exchange of exchanges) {
      const lines = feed.lines(exchange.name, step);
      exchange.setKeys(keysAsOf(keys.get(exchange.name)!, at));
      exchange.feed(exchange.options.input === 'nginx' ? toAccessLog(lines) : lines);
    }
    await settle(exchanges, staff);
    onProgress({ step: step + 1, steps: feed.steps, at: new Date(at).toISOString() });
  }
}

/** All items of a stream. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
