import {
  ACCOUNT_TYPES,
  allowColumns,
  encodeColumns,
  factColumns,
  NETWORKS,
  observationColumns,
  PERMISSIONS,
} from '@app/member-sdk';
import type { RawKey, RawObservation } from '../input/rows.js';
import type { KeyTokens, ObservationTokens } from './blind-rows.js';

/** Most observations in one batch. */
export const BATCH_OBSERVATIONS = 5_000;
/** Most rows of the other sections in one batch. */
const BATCH_KEY_ROWS = 10_000;
/** Most warning lists named in one batch. */
const BATCH_LISTS = 32;

/** Tokens in the order first met. A token is one object ({@link Tokenizer}), so identity finds it again. */
class Dictionary {
  readonly tokens: Uint8Array[] = [];
  private readonly places = new Map<Uint8Array, number>();

  place(token: Uint8Array): number {
    let place = this.places.get(token);
    if (place === undefined) {
      place = this.tokens.push(token) - 1;
      this.places.set(token, place);
    }
    return place;
  }
}

interface PlacedObservation {
  key: number;
  ip: number;
  client: number;
  lists: number;
  row: RawObservation;
}

/** A batch's rows in the compact form, with their numbers for the person who reads the status. */
export interface BuiltBatch {
  compact: Uint8Array;
  observations: number;
  allowEntries: number;
  keyFacts: number;
}

/**
 * Collects rows for one batch. An observation whose key, IP, client and hour are already in it takes the earlier one's
 * place: the later line stands, as a later batch would.
 */
export class BatchBuilder {
  private readonly keys = new Dictionary();
  private readonly ips = new Dictionary();
  private readonly prefixes = new Dictionary();
  private readonly clients = new Dictionary();
  private readonly owners = new Dictionary();
  private readonly lists: string[] = [];
  private readonly ipPrefix: number[] = [];
  private readonly observations = new Map<string, PlacedObservation>();
  private readonly allowed: { key: number; ip: number; addedAt: number; removedAt: number | null }[] = [];
  private readonly facts: { key: number; owner: number; row: RawKey }[] = [];

  get empty(): boolean {
    return this.observations.size === 0 && this.facts.length === 0;
  }

  /** False when the batch is full; the row is then not in it. */
  addObservation(row: RawObservation, tokens: ObservationTokens): boolean {
    if (this.observations.size >= BATCH_OBSERVATIONS) return false;
    const fresh = row.lists.filter((name) => !this.lists.includes(name));
    if (this.lists.length + fresh.length > BATCH_LISTS) return false;
    this.lists.push(...fresh);
    const key = this.keys.place(tokens.key);
    const ip = this.ip(tokens);
    const client = this.clients.place(tokens.client);
    const lists = row.lists.reduce((mask, name) => (mask | (1 << this.lists.indexOf(name))) >>> 0, 0);
    this.observations.set(`${key},${ip},${client},${row.hour}`, { key, ip, client, lists, row });
    return true;
  }

  /** False when the batch is full; the row is then not in it. */
  addKey(row: RawKey, tokens: KeyTokens): boolean {
    const rows = this.facts.length + this.allowed.length;
    if (rows > 0 && rows + 1 + row.allowed.length > BATCH_KEY_ROWS) return false;
    const key = this.keys.place(tokens.key);
    this.facts.push({ key, owner: this.owners.place(tokens.owner), row });
    row.allowed.forEach(({ addedAt, removedAt }, i) =>
      this.allowed.push({ key, ip: this.ip(tokens.allowed[i]!), addedAt, removedAt }),
    );
    return true;
  }

  build(): BuiltBatch {
    const rows = [...this.observations.values()].sort((a, b) => a.row.hour - b.row.hour);
    const o = observationColumns(rows.length);
    rows.forEach(({ key, ip, client, lists, row }, i) => {
      o.key[i] = key;
      o.ip[i] = ip;
      o.client[i] = client;
      o.lists[i] = lists;
      o.hour[i] = row.hour;
      o.requests[i] = row.requests;
      o.orders[i] = row.orders;
      o.rejected[i] = row.rejected;
      o.activeSlots[i] = row.activeSlots;
      o.burstSlots[i] = row.burstSlots;
      o.network[i] = NETWORKS.indexOf(row.network);
    });
    const a = allowColumns(this.allowed.length);
    this.allowed.forEach((entry, i) => {
      a.key[i] = entry.key;
      a.ip[i] = entry.ip;
      a.addedAt[i] = entry.addedAt;
      a.removedAt[i] = entry.removedAt ?? 0;
    });
    const f = factColumns(this.facts.length);
    this.facts.forEach(({ key, owner, row }, i) => {
      f.key[i] = key;
      f.owner[i] = owner;
      f.createdAt[i] = row.createdAt;
      f.expiresAt[i] = row.expiresAt ?? 0;
      f.accountType[i] = ACCOUNT_TYPES.indexOf(row.accountType);
      f.permissions[i] = row.permissions.reduce((mask, p) => mask | (1 << PERMISSIONS.indexOf(p)), 0);
    });
    const compact = encodeColumns({
      keys: this.keys.tokens,
      ips: this.ips.tokens,
      prefixes: this.prefixes.tokens,
      clients: this.clients.tokens,
      owners: this.owners.tokens,
      lists: this.lists,
      ipPrefix: Uint32Array.from(this.ipPrefix),
      observations: o,
      allowEntries: a,
      keyFacts: f,
    });
    return { compact, observations: o.count, allowEntries: a.count, keyFacts: f.count };
  }

  private ip(tokens: { ip: Uint8Array; prefix: Uint8Array }): number {
    const place = this.ips.place(tokens.ip);
    this.ipPrefix[place] = this.prefixes.place(tokens.prefix);
    return place;
  }
}
