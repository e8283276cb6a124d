import type { AccountType, LegalBasis, Network, Permission, Purpose } from './vocabulary.js';

/** Most observations one batch may carry. */
export const MAX_BATCH_ROWS = 20_000;
/** Largest decoded compact form, bytes. */
export const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** A count above this is absurd for one key in one hour: 1,000 requests a second. */
export const MAX_HOURLY_COUNT = 3_600_000;
/** Milliseconds of an hour. */
export const HOUR_MS = 3_600_000;

/** What one key did from one IP with one client in one hour. Tokens are 32 bytes. */
export interface Observation {
  key: Uint8Array;
  ip: Uint8Array;
  /** Token of the IP's /24 or /48. */
  prefix: Uint8Array;
  client: Uint8Array;
  /** Hours since 1970-01-01T00:00Z. */
  hour: number;
  network: Network;
  /** Names of the warning lists the address is on. */
  lists: readonly string[];
  requests: number;
  orders: number;
  /** Validly signed requests refused because the IP was not on the key's allow-list. */
  rejected: number;
  /** 12 bits: bit i = minutes 5i to 5i+5 with any request. */
  activeSlots: number;
  /** 12 bits: those with an order burst. A subset of `activeSlots`. */
  burstSlots: number;
}

/** One dated entry of a key's allow-list. It counts from `addedAt`. Seconds since 1970. */
export interface AllowEntry {
  key: Uint8Array;
  ip: Uint8Array;
  prefix: Uint8Array;
  addedAt: number;
  removedAt: number | null;
}

/** What the exchange knows of a key. Seconds since 1970. */
export interface KeyFacts {
  key: Uint8Array;
  owner: Uint8Array;
  accountType: AccountType;
  permissions: readonly Permission[];
  createdAt: number;
  expiresAt: number | null;
}

/** What is sent together; idempotent by `batchId`. */
export interface SignalBatch {
  /** UUID chosen by the member. */
  batchId: string;
  /** Rises by at least one with every batch of a member; where two batches carry one observation, the higher stands. */
  sequence: number;
  /** Number of the blinding epoch whose key made the tokens. */
  epoch: number;
  purpose: Purpose;
  legalBasis: LegalBasis;
  observations: Observation[];
  allowEntries: AllowEntry[];
  keyFacts: KeyFacts[];
}

/** The rows of a batch, without its envelope: what the compact form holds. */
export type BatchRows = Pick<SignalBatch, 'observations' | 'allowEntries' | 'keyFacts'>;
