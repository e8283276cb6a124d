import type { AccountType, Network, Permission } from '@app/member-sdk';

/** An observation before blinding. Counts and slots as in the protocol's `Observation`. */
export interface RawObservation {
  row: 'observation';
  key: string;
  ip: string;
  client: string;
  /** Hours since 1970. */
  hour: number;
  network: Network;
  lists: readonly string[];
  requests: number;
  orders: number;
  rejected: number;
  activeSlots: number;
  burstSlots: number;
}

/** What one line of the key list says, before blinding. Times in seconds since 1970. */
export interface RawKey {
  row: 'key';
  key: string;
  owner: string;
  accountType: AccountType;
  permissions: readonly Permission[];
  createdAt: number;
  expiresAt: number | null;
  allowed: readonly { ip: string; addedAt: number; removedAt: number | null }[];
}

export type RawRow = RawObservation | RawKey;

/**
 * Why a line was not counted. The reason is a stable word; the text says what to do.
 */
export const LINE_REASONS = {
  EMPTY_LINE: 'the line is empty',
  LINE_TOO_LONG: 'the line is longer than 1 MiB',
  NOT_JSON: 'the line is not a JSON object',
  HOUR_MALFORMED: '`hour` is not the start of an hour, ISO 8601 in UTC',
  TIME_MISSING: 'no time where the mapping looks for it; check `fields.time`',
  TIME_MALFORMED: 'the time is neither ISO 8601 nor seconds or milliseconds since 1970',
  TIME_IN_FUTURE: "the time lies more than a day ahead of the agent's clock; check both clocks",
  KEY_MISSING: 'no access key: the request was made without one, or the mapping looks in the wrong place',
  KEY_MALFORMED: 'the access key is empty or longer than 1,024 characters',
  IP_MISSING: "no caller's address where the mapping looks for it; check `fields.ip`",
  IP_MALFORMED: "the caller's address is not an IPv4 or IPv6 address",
  CLIENT_MALFORMED: 'the client is empty or longer than 1,024 characters',
  OWNER_MALFORMED: 'the owner is empty or longer than 1,024 characters',
  NETWORK_UNKNOWN: 'not a network class: residential, mobile, hosting, vpn or unknown',
  COUNT_OUT_OF_RANGE: 'a count is negative, fractional or above 3,600,000 an hour',
  SLOTS_OUT_OF_RANGE: 'slots are 12 bits (0 to 4095), and burst slots are active ones',
  LIST_NAME_INVALID: 'a warning list has a name of 1 to 64 characters, and a line names at most 32',
  ACCOUNT_TYPE_UNKNOWN: 'not an account type: individual, corporate, market_maker or aggregator',
  PERMISSION_UNKNOWN: 'not a permission: read, trade or withdraw',
  ALLOWED_IPS_MALFORMED: '`allowed_ips` is not a list of {ip, added_at, removed_at} with good addresses and times',
  INTERVAL_INVALID: 'an end lies before its start',
  HOUR_CLOSED:
    'the line lies more than 12 hours behind the log, and its hour is no longer kept; send that hour whole as `usage`',
  SIGNATURE_REFUSED: 'the gateway refused the signature: it proves nothing about the key it names',
} as const;
export type LineReason = keyof typeof LINE_REASONS;

/** A line that was not counted. */
export interface Refusal {
  /** From 1, in its file. */
  line: number;
  reason: LineReason;
}

/** Thrown by a parser for a line that it refuses. */
export class LineRefused extends Error {
  constructor(readonly reason: LineReason) {
    super(LINE_REASONS[reason]);
  }
}

/** A line as a JSON object. @throws {LineRefused} */
export function parseObject(text: string): Record<string, unknown> {
  if (text.length === 0 || text.trim() === '') throw new LineRefused('EMPTY_LINE');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new LineRefused('NOT_JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new LineRefused('NOT_JSON');
  return value as Record<string, unknown>;
}

const ISO_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|\+00:00)$/;

/** Whole seconds since 1970 of an ISO 8601 time in UTC; null when it is none, or beyond 32 bits. */
export function isoSeconds(text: unknown): number | null {
  const seconds = typeof text === 'string' && ISO_UTC.test(text) ? Math.floor(Date.parse(text) / 1000) : NaN;
  return seconds > 0 && seconds <= 0xffffffff ? seconds : null;
}
