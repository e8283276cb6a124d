import {
  encodeColumns,
  toColumns,
  type AllowEntry,
  type BatchRows,
  type KeyFacts,
  type Observation,
} from '@app/protocol';
import type { Submission } from '@app/signals';
import { token } from './tokens.js';

/** First hour of the days that specs live in: 2026-06-01T00:00Z, in hours since 1970. */
export const FIRST_HOUR = Date.parse('2026-06-01T00:00:00Z') / 3_600_000;
export const FIRST_DAY = FIRST_HOUR / 24;

/** An observation with everyday values; names become tokens, the prefix is the address's own. */
export function observation(
  key: string,
  ip: string,
  hour: number,
  more: Partial<Omit<Observation, 'key' | 'ip' | 'client'>> & { client?: string } = {},
): Observation {
  const { client = 'client requests', ...values } = more;
  return {
    key: token(`key ${key}`),
    ip: token(`ip ${ip}`),
    prefix: token(`prefix ${ip}`),
    client: token(client),
    hour: FIRST_HOUR + hour,
    network: 'hosting',
    lists: [],
    requests: 60,
    orders: 6,
    rejected: 0,
    activeSlots: 0xfff,
    burstSlots: 0,
    ...values,
  };
}

export function facts(key: string, owner: string, more: Partial<Omit<KeyFacts, 'key' | 'owner'>> = {}): KeyFacts {
  return {
    key: token(`key ${key}`),
    owner: token(`owner ${owner}`),
    accountType: 'individual',
    permissions: ['read', 'trade'],
    createdAt: (FIRST_HOUR - 2400) * 3600,
    expiresAt: null,
    ...more,
  };
}

/** An allow-list entry from an hour on, to another or for ever. */
export function allowEntry(key: string, ip: string, hour: number, removed: number | null = null): AllowEntry {
  return {
    key: token(`key ${key}`),
    ip: token(`ip ${ip}`),
    prefix: token(`prefix ${ip}`),
    addedAt: (FIRST_HOUR + hour) * 3600,
    removedAt: removed === null ? null : (FIRST_HOUR + removed) * 3600,
  };
}

/** Rows in the compact form. */
export function compactOf(rows: Partial<BatchRows>): Uint8Array {
  return encodeColumns(toColumns({ observations: [], allowEntries: [], keyFacts: [], ...rows }));
}

/** A submission of rows in the compact form; its id follows from `member` and `sequence`. */
export function submission(sequence: number, rows: Partial<BatchRows>, more: Partial<Submission> = {}): Submission {
  return {
    batchId: batchId(sequence),
    sequence,
    epoch: 1,
    purpose: 'key_lending_detection',
    legalBasis: 'user_protection_act_surveillance',
    compact: compactOf(rows),
    ...more,
  };
}

export function batchId(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** A `SubmitSignalsInput` with the n-th batch of a member. */
export function submitInput(n: number, rows: Partial<BatchRows>): Record<string, unknown> & { batchId: string } {
  return {
    batchId: batchId(n),
    sequence: n,
    epoch: 1,
    purpose: 'KEY_LENDING_DETECTION',
    legalBasis: 'CONTRACT_TERMS',
    compact: Buffer.from(compactOf(rows)).toString('base64'),
  };
}
