import type { BatchColumns } from '@app/protocol';

/** Kinds of edges, as stored. `a` is always the key. */
export const EDGE_KEY_IP = 1;
export const EDGE_KEY_CLIENT = 2;

/** A standing relation of a key with an IP or a client, and the days on which it was first and last seen. */
export interface Edge {
  kind: number;
  a: number;
  b: number;
  firstDay: number;
  lastDay: number;
}

/** The ids that a batch's dictionaries were interned to, in their order. */
export interface BatchIds {
  keys: Uint32Array;
  ips: Uint32Array;
  clients: Uint32Array;
}

/** The edges that a batch's observations assert, in (kind, a, b) order. */
export function edgesOf({ observations: o }: BatchColumns, ids: BatchIds): Edge[] {
  const edges = new Map<string, Edge>();
  const see = (kind: number, a: number, b: number, day: number) => {
    const name = `${kind}:${a}:${b}`;
    const edge = edges.get(name);
    if (!edge) edges.set(name, { kind, a, b, firstDay: day, lastDay: day });
    else {
      edge.firstDay = Math.min(edge.firstDay, day);
      edge.lastDay = Math.max(edge.lastDay, day);
    }
  };
  for (let i = 0; i < o.count; i++) {
    const key = ids.keys[o.key[i]!]!;
    const day = Math.floor(o.hour[i]! / 24);
    see(EDGE_KEY_IP, key, ids.ips[o.ip[i]!]!, day);
    see(EDGE_KEY_CLIENT, key, ids.clients[o.client[i]!]!, day);
  }
  return [...edges.values()].sort((x, y) => x.kind - y.kind || x.a - y.a || x.b - y.b);
}
