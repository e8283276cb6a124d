import { HOUR_MS, MAX_HOURLY_COUNT, MAX_WARNING_LISTS, NETWORKS, type Network } from '@app/member-sdk';
import { isoSeconds, LineRefused, parseObject, type RawObservation } from './rows.js';

const HOUR_SECONDS = HOUR_MS / 1000;
const NO_LISTS: readonly string[] = [];
const NETWORK_WORDS: ReadonlySet<unknown> = new Set(NETWORKS);

/** Reads lines of `usage.jsonl`: an hour of one key from one IP with one client, as the exchange aggregated it. */
export class UsageLineParser {
  /** Hour texts met: a file has few of them and many lines. */
  private readonly hours = new Map<string, number>();

  /** Whether the values have tokens is for the caller to find out. @throws {LineRefused} */
  parse(text: string): RawObservation {
    const line = parseObject(text);
    const network = line['network'] ?? 'unknown';
    if (!NETWORK_WORDS.has(network)) throw new LineRefused('NETWORK_UNKNOWN');
    const activeSlots = slots(line['active_slots']);
    const burstSlots = slots(line['burst_slots']);
    if ((burstSlots & ~activeSlots) !== 0) throw new LineRefused('SLOTS_OUT_OF_RANGE');
    return {
      row: 'observation',
      key: word(line['access_key'], 'KEY_MISSING', 'KEY_MALFORMED'),
      ip: word(line['ip'], 'IP_MISSING', 'IP_MALFORMED'),
      client: word(line['client'], 'CLIENT_MALFORMED', 'CLIENT_MALFORMED'),
      hour: this.hour(line['hour']),
      network: network as Network,
      lists: lists(line['lists']),
      requests: count(line['requests']),
      orders: count(line['orders']),
      rejected: count(line['rejected']),
      activeSlots,
      burstSlots,
    };
  }

  private hour(text: unknown): number {
    const known = this.hours.get(text as string);
    if (known !== undefined) return known;
    const seconds = isoSeconds(text);
    if (seconds === null || seconds % HOUR_SECONDS !== 0) throw new LineRefused('HOUR_MALFORMED');
    if (this.hours.size > 10_000) this.hours.clear();
    this.hours.set(text as string, seconds / HOUR_SECONDS);
    return seconds / HOUR_SECONDS;
  }
}

function word(
  value: unknown,
  missing: 'KEY_MISSING' | 'IP_MISSING' | 'CLIENT_MALFORMED',
  malformed: 'KEY_MALFORMED' | 'IP_MALFORMED' | 'CLIENT_MALFORMED',
): string {
  if (value === undefined || value === null || value === '') throw new LineRefused(missing);
  if (typeof value !== 'string' || value.length > 1024) throw new LineRefused(malformed);
  return value;
}

function count(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > MAX_HOURLY_COUNT)
    throw new LineRefused('COUNT_OUT_OF_RANGE');
  return value as number;
}

function slots(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 4095)
    throw new LineRefused('SLOTS_OUT_OF_RANGE');
  return value as number;
}

/** @throws {LineRefused} LIST_NAME_INVALID */
export function lists(value: unknown): readonly string[] {
  if (value === undefined || value === null) return NO_LISTS;
  if (!Array.isArray(value) || value.length > MAX_WARNING_LISTS) throw new LineRefused('LIST_NAME_INVALID');
  for (const name of value)
    if (typeof name !== 'string' || name.length === 0 || name.length > 64) throw new LineRefused('LIST_NAME_INVALID');
  return value.length < 2 ? (value as string[]) : [...new Set(value as string[])];
}
