import { encodeToken } from './tokens.js';
import type { AllowEntry, BatchRows, KeyFacts, Observation } from './signals.js';
import { ACCOUNT_TYPES, NETWORKS, PERMISSIONS } from './vocabulary.js';

/** Rows of one kind, a column each; row i is entry i of every column. */
export interface ObservationColumns {
  count: number;
  /** Indices into the batch's dictionaries. */
  key: Uint32Array;
  ip: Uint32Array;
  client: Uint32Array;
  /** Hours since 1970. */
  hour: Uint32Array;
  requests: Uint32Array;
  orders: Uint32Array;
  rejected: Uint32Array;
  /** Bit i: the address is on warning list i of the dictionary. */
  lists: Uint32Array;
  activeSlots: Uint16Array;
  burstSlots: Uint16Array;
  /** Index into {@link NETWORKS}. */
  network: Uint8Array;
}

export interface AllowColumns {
  count: number;
  key: Uint32Array;
  ip: Uint32Array;
  /** Seconds since 1970; `removedAt` 0 = still registered. */
  addedAt: Uint32Array;
  removedAt: Uint32Array;
}

export interface FactColumns {
  count: number;
  key: Uint32Array;
  owner: Uint32Array;
  /** Seconds since 1970; `expiresAt` 0 = never. */
  createdAt: Uint32Array;
  expiresAt: Uint32Array;
  /** Index into {@link ACCOUNT_TYPES}; bit mask over {@link PERMISSIONS}. */
  accountType: Uint8Array;
  permissions: Uint8Array;
}

/** A batch's rows column by column, tokens in dictionaries: what the compact form holds and the fold reads. */
export interface BatchColumns {
  keys: Uint8Array[];
  ips: Uint8Array[];
  prefixes: Uint8Array[];
  clients: Uint8Array[];
  owners: Uint8Array[];
  /** Names of warning lists, at most 32. */
  lists: string[];
  /** For each IP, the index of its prefix. */
  ipPrefix: Uint32Array;
  observations: ObservationColumns;
  allowEntries: AllowColumns;
  keyFacts: FactColumns;
}

export function observationColumns(count: number): ObservationColumns {
  const u32 = () => new Uint32Array(count);
  return {
    count,
    key: u32(),
    ip: u32(),
    client: u32(),
    hour: u32(),
    requests: u32(),
    orders: u32(),
    rejected: u32(),
    lists: u32(),
    activeSlots: new Uint16Array(count),
    burstSlots: new Uint16Array(count),
    network: new Uint8Array(count),
  };
}

export function allowColumns(count: number): AllowColumns {
  const u32 = () => new Uint32Array(count);
  return { count, key: u32(), ip: u32(), addedAt: u32(), removedAt: u32() };
}

export function factColumns(count: number): FactColumns {
  const u32 = () => new Uint32Array(count);
  return {
    count,
    key: u32(),
    owner: u32(),
    createdAt: u32(),
    expiresAt: u32(),
    accountType: new Uint8Array(count),
    permissions: new Uint8Array(count),
  };
}

class Dictionary {
  readonly tokens: Uint8Array[] = [];
  private readonly index = new Map<string, number>();

  add(token: Uint8Array): number {
    const text = encodeToken(token);
    let i = this.index.get(text);
    if (i === undefined) {
      i = this.tokens.push(token) - 1;
      this.index.set(text, i);
    }
    return i;
  }
}

/**
 * Rows to columns. The rows must be valid ({@link checkRows}): a column cannot hold what a check refuses.
 * Of two prefixes given for one IP the last stands.
 */
export function toColumns(rows: BatchRows): BatchColumns {
  const keys = new Dictionary();
  const ips = new Dictionary();
  const prefixes = new Dictionary();
  const clients = new Dictionary();
  const owners = new Dictionary();
  const lists: string[] = [];
  const ipPrefix: number[] = [];
  const ip = (token: Uint8Array, prefix: Uint8Array): number => {
    const i = ips.add(token);
    ipPrefix[i] = prefixes.add(prefix);
    return i;
  };

  const o = observationColumns(rows.observations.length);
  rows.observations.forEach((row, i) => {
    o.key[i] = keys.add(row.key);
    o.ip[i] = ip(row.ip, row.prefix);
    o.client[i] = clients.add(row.client);
    o.hour[i] = row.hour;
    o.requests[i] = row.requests;
    o.orders[i] = row.orders;
    o.rejected[i] = row.rejected;
    o.activeSlots[i] = row.activeSlots;
    o.burstSlots[i] = row.burstSlots;
    o.network[i] = NETWORKS.indexOf(row.network);
    for (const name of row.lists) {
      let n = lists.indexOf(name);
      if (n < 0) n = lists.push(name) - 1;
      o.lists[i] = (o.lists[i]! | (1 << n)) >>> 0;
    }
  });
  const a = allowColumns(rows.allowEntries.length);
  rows.allowEntries.forEach((row, i) => {
    a.key[i] = keys.add(row.key);
    a.ip[i] = ip(row.ip, row.prefix);
    a.addedAt[i] = row.addedAt;
    a.removedAt[i] = row.removedAt ?? 0;
  });
  const f = factColumns(rows.keyFacts.length);
  rows.keyFacts.forEach((row, i) => {
    f.key[i] = keys.add(row.key);
    f.owner[i] = owners.add(row.owner);
    f.createdAt[i] = row.createdAt;
    f.expiresAt[i] = row.expiresAt ?? 0;
    f.accountType[i] = ACCOUNT_TYPES.indexOf(row.accountType);
    f.permissions[i] = row.permissions.reduce((mask, p) => mask | (1 << PERMISSIONS.indexOf(p)), 0);
  });
  return {
    keys: keys.tokens,
    ips: ips.tokens,
    prefixes: prefixes.tokens,
    clients: clients.tokens,
    owners: owners.tokens,
    lists,
    ipPrefix: Uint32Array.from(ipPrefix),
    observations: o,
    allowEntries: a,
    keyFacts: f,
  };
}

/** Columns back to rows, for people and tests. */
export function toRows(c: BatchColumns): BatchRows {
  const at = <T>(list: ArrayLike<T>, i: number): T => list[i] as T;
  const { observations: o, allowEntries: a, keyFacts: f } = c;
  const prefixOf = (ip: number) => at(c.prefixes, at(c.ipPrefix, ip));
  const each = <T>(count: number, row: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => row(i));
  return {
    observations: each(o.count, (i): Observation => ({
      key: at(c.keys, at(o.key, i)),
      ip: at(c.ips, at(o.ip, i)),
      prefix: prefixOf(at(o.ip, i)),
      client: at(c.clients, at(o.client, i)),
      hour: at(o.hour, i),
      network: NETWORKS[at(o.network, i)] ?? 'unknown',
      lists: c.lists.filter((_, n) => (at(o.lists, i) & (1 << n)) !== 0),
      requests: at(o.requests, i),
      orders: at(o.orders, i),
      rejected: at(o.rejected, i),
      activeSlots: at(o.activeSlots, i),
      burstSlots: at(o.burstSlots, i),
    })),
    allowEntries: each(a.count, (i): AllowEntry => ({
      key: at(c.keys, at(a.key, i)),
      ip: at(c.ips, at(a.ip, i)),
      prefix: prefixOf(at(a.ip, i)),
      addedAt: at(a.addedAt, i),
      removedAt: at(a.removedAt, i) || null,
    })),
    keyFacts: each(f.count, (i): KeyFacts => ({
      key: at(c.keys, at(f.key, i)),
      owner: at(c.owners, at(f.owner, i)),
      accountType: ACCOUNT_TYPES[at(f.accountType, i)] ?? 'individual',
      permissions: PERMISSIONS.filter((_, n) => (at(f.permissions, i) & (1 << n)) !== 0),
      createdAt: at(f.createdAt, i),
      expiresAt: at(f.expiresAt, i) || null,
    })),
  };
}
