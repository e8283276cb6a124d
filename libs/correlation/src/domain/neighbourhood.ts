import type { AccountType, Network, Permission, RungOrNone } from '@app/protocol';

/**
 * What the engine reads: rows around some keys, already loaded. Tokens are interned to integers, so no row can name an
 * owner, an address or a key. Days count from 1970-01-01 in UTC, times are seconds since then.
 */

/** An interned token: key, IP, prefix, owner or client. Equal numbers of one kind mean equal tokens. */
export type Id = number;

/** What one key did from one IP with one client on one UTC day. */
export interface DayUse {
  key: Id;
  ip: Id;
  client: Id;
  /** Days since 1970-01-01. */
  day: number;
  /** 24-bit mask of the hours with any request; bit h is hour h. */
  hours: number;
  requests: number;
  orders: number;
  /** Validly signed requests that were refused because the IP was not registered. */
  rejected: number;
  network: Network;
  /** How many warning lists the address was on that day; 0 for none. */
  lists: number;
}

/** When one key was busy on one UTC day. */
export interface KeyDay {
  key: Id;
  /** Days since 1970-01-01. */
  day: number;
  /** 36 bytes for 288 windows of five minutes; window w is bit w&7 of byte w>>3. */
  bursts: Uint8Array;
  /** Windows in which the key was active from two or more prefixes and with two or more clients at once. */
  concurrent: number;
  /** Windows in which the key was active. */
  active: number;
}

/** What the exchange that holds a key knows of it. */
export interface KeyFactsRow {
  key: Id;
  /** The exchange that holds the key. */
  member: number;
  owner: Id;
  permissions: readonly Permission[];
  accountType: AccountType;
  /** Seconds since 1970. */
  createdAt: number;
  /** Seconds since 1970; null for no end. */
  expiresAt: number | null;
}

/** One dated entry of a key's allow-list. Seconds since 1970. */
export interface AllowRow {
  key: Id;
  ip: Id;
  addedAt: number;
  removedAt: number | null;
}

/** What is remembered of a key from one assessment to the next. Seconds since 1970. */
export interface KeyMemory {
  key: Id;
  rung: RungOrNone;
  /** Since when the key holds `rung`. */
  since: number;
  /** Since when the evidence by itself supports a lower rung; null while it supports `rung` or a higher one. */
  cleanSince: number | null;
  /** When the key's owner last passed a re-verification. */
  reverifiedAt: number | null;
  /** The last re-verification asked for was failed or ignored. */
  reverificationFailed: boolean;
  /** When its member upheld warnings of this key. */
  upheldWarnings: readonly number[];
}

/** How many owners show a client from a network class. */
export interface ClientOwners {
  client: Id;
  network: Network;
  owners: number;
  /** Kind of fingerprint (see `Neighbourhood.clientKinds`); without it the rate is taken over all kinds together. */
  kind?: number;
}

/** Everything an assessment of some keys reads. Rows may come in any order. */
export interface Neighbourhood {
  /** The keys to assess. */
  seeds: readonly Id[];
  /** Of every key that appears anywhere below. */
  facts: readonly KeyFactsRow[];
  /** Within the policy's look-back: all of the seeds', and all of other keys on the seeds' IPs, bounded per IP. */
  uses: readonly DayUse[];
  /** The seeds' own, and everyone's on the seeds' IPs. */
  allow: readonly AllowRow[];
  /** From an IP to its /24 or /48. */
  prefixes: ReadonlyMap<Id, Id>;
  /** Of the seeds and of their lockstep candidates. */
  keyDays: readonly KeyDay[];
  /** From a window's number (day·288 + w) to how many keys in all burst in it. */
  windowKeys: ReadonlyMap<number, number>;
  /** From a day to how many keys in all had any burst on it. */
  activeKeys: ReadonlyMap<number, number>;
  /** Base rates over everything: how many owners use a client from a network class. */
  clientOwners: readonly ClientOwners[];
  /** Owners seen per network class, over everything. */
  networkOwners: ReadonlyMap<Network, number>;
  memory: readonly KeyMemory[];
  /** IPs with too many keys to load: from the IP to its number of distinct keys. */
  truncatedIps: ReadonlyMap<Id, number>;
  /**
   * What each exchange fingerprints clients by, as any number per kind: clients of two kinds never compare, so a
   * difference between them says nothing. Left out, it is inferred from `uses` (`inferClientKinds`).
   */
  clientKinds?: ReadonlyMap<number, number>;
  /** Main client of lockstep candidates whose uses are not among `uses`; without it C1 leaves them out. */
  mainClients?: ReadonlyMap<Id, Id>;
}
