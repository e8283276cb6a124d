import type { AccountType, Permission } from '@app/protocol';
import type { Address } from './addresses.js';
import type { Program } from './clients.js';

/** Words of the simulator. Times are hours since the population's start; those before it are negative. */

/** A person or company. One owner is the same at every member. */
export interface Owner {
  /** CI-like. */
  id: string;
  /** Index of each member the owner is on, and how many keys there. */
  accounts: { member: number; keys: number }[];
  /** People whose fates hang together (one operator, one household, one shared address) have one group. */
  group: number;
  /** Leaves addresses registered that are no longer used. */
  stale: boolean;
  /** Bursts of the owner's own strategy, shared by the owner's keys. */
  stream: number;
  /** The stream's follow probability. */
  temper: Temper;
}

/** An entry of a key's allow-list. */
export interface Entry {
  ip: string;
  added: number;
  removed: number | null;
}

/** A key, its truth, and the ways in which it is used. */
export interface SimKey {
  index: number;
  member: number;
  accessKey: string;
  owner: Owner;
  accountType: AccountType;
  permissions: Permission[];
  entries: Entry[];
  created: number;
  expires: number;
  segment: string;
  /** When lending began: the first attempt from the borrower's machine. */
  onset: number | null;
  lanes: Lane[];
}

/** Where a program runs: one address after another, or several that it changes between. */
export type Site =
  | { kind: 'leases'; leases: { from: number; address: Address }[] }
  /** `stay`: how many hours it mostly keeps one of them; `strays`: addresses it falls onto, `stray` of the hours. */
  | { kind: 'pool'; addresses: Address[]; stay: number; strays: Address[]; stray: number };

/** When a program polls. */
export interface Schedule {
  kind: 'always' | 'waking' | 'sessions' | 'sparse';
  /** First hour in Seoul, and hours, of a waking schedule. */
  start: number;
  length: number;
  /** Probability that a 5-minute window of an active hour has a request. */
  density: number;
  /** Sparse polling: only these windows. */
  mask: number;
  weekdays: boolean;
}

/** A series of burst times that a lane may follow. */
export interface Follow {
  stream: number;
  /** Probability of acting on one burst. */
  chance: number;
  /** Least and most delay, seconds. */
  lag: readonly [number, number];
}

/** How a lane trades. */
export interface Temper {
  /** Orders in an ordinary active window. */
  orders: number;
  /** Requests in an active window. */
  requests: number;
  /** Bursts a day of its own. */
  bursts: number;
  /** Probability of acting on a market-wide event of full strength. */
  market: number;
  /** Clock-aligned bursts: hours between them, or 0. */
  clock: number;
}

/** One program using one key: a stretch of time, a place, a client and a temper. */
export interface Lane {
  id: number;
  from: number;
  to: number;
  site: Site;
  /** Client from a time on, in order; more than one where it was updated or is shuffled. */
  clients: { from: number; program: Program }[];
  /** Draws a client anew at random each so many hours from `clients`, instead of in order. */
  shuffleHours?: number;
  schedule: Schedule;
  temper: Temper;
  follows: Follow[];
  /** Groups whose outages silence it, besides its address's provider. */
  outages: number[];
  /** Hours over which its share of the time rises from nearly nothing to all. */
  ramp?: number;
  /** Share of its hours in which it is used at all (load spread over servers). */
  duty: number;
}
