import type { BatchColumns } from './batch-columns.js';
import { withoutRows, type RowPlace } from './batch-checks.js';

/** The batch without the named rows, and without every token and list name that no row of the rest uses. */
export function trimRows(batch: BatchColumns, rows: readonly RowPlace[]): BatchColumns {
  const kept = withoutRows(batch, rows);
  const { observations: o, allowEntries: a, keyFacts: f } = kept;
  const keys = used(batch.keys, [o.key, a.key, f.key]);
  const ips = used(batch.ips, [o.ip, a.ip]);
  const clients = used(batch.clients, [o.client]);
  const owners = used(batch.owners, [f.owner]);
  const keptPrefixes = batch.ipPrefix.filter((_, i) => ips.moved[i]! >= 0);
  const prefixes = used(batch.prefixes, [keptPrefixes]);
  const lists = usedLists(batch.lists, o.lists);
  return {
    keys: keys.tokens,
    ips: ips.tokens,
    prefixes: prefixes.tokens,
    clients: clients.tokens,
    owners: owners.tokens,
    lists: lists.names,
    ipPrefix: keptPrefixes.map((i) => prefixes.moved[i]!),
    observations: {
      ...o,
      key: o.key.map((i) => keys.moved[i]!),
      ip: o.ip.map((i) => ips.moved[i]!),
      client: o.client.map((i) => clients.moved[i]!),
      lists: o.lists.map(lists.masked),
    },
    allowEntries: { ...a, key: a.key.map((i) => keys.moved[i]!), ip: a.ip.map((i) => ips.moved[i]!) },
    keyFacts: { ...f, key: f.key.map((i) => keys.moved[i]!), owner: f.owner.map((i) => owners.moved[i]!) },
  };
}

/** The tokens that some row uses, and where each went; −1 for one that is gone. */
function used(tokens: readonly Uint8Array[], uses: readonly Uint32Array[]) {
  const moved = new Int32Array(tokens.length).fill(-1);
  for (const column of uses) for (const index of column) moved[index] = 0;
  const kept = tokens.filter((_, i) => moved[i] === 0);
  let next = 0;
  moved.forEach((state, i) => {
    if (state === 0) moved[i] = next++;
  });
  return { tokens: kept, moved };
}

/** The same for warning lists, of which a row names several by the bits of a mask. */
function usedLists(names: readonly string[], masks: Uint32Array) {
  const all = masks.reduce((sum, mask) => (sum | mask) >>> 0, 0);
  const kept = names.flatMap((_, n) => ((all & (1 << n)) === 0 ? [] : [n]));
  const masked = (mask: number) =>
    kept.reduce((sum, from, to) => ((mask & (1 << from)) === 0 ? sum : (sum | (1 << to)) >>> 0), 0);
  return { names: kept.map((n) => names[n]!), masked };
}
