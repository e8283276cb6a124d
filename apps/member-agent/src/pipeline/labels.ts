import { MAX_WARNING_LISTS, type Network } from '@app/member-sdk';
import type { RawObservation, RawRow } from '../input/rows.js';
import type { WarningLists } from '../lists/warning-lists.js';
import { AsTable, asTableInfo, type AsTableInfo } from '../network/as-table.js';
import { networkClass } from '../network/network-class.js';

/** Addresses whose class is remembered. */
const REMEMBERED = 100_000;

/** Who says of which network class an address is: the bundled table where the exchange does not, or the exchange alone. */
export type NetworkSource = 'asn' | 'field';

/** Says of an address what the exchange did not: its network class, and which warning lists it is on. */
export class Labels {
  private table: AsTable | null = null;
  private readonly remembered = new Map<string, Network>();
  /** The table in use; null where the exchange alone says. */
  readonly tableInfo: AsTableInfo | null;

  /** @throws {BongsuError} CONFIG_INVALID when the table is wanted and not there; it is read when first needed */
  constructor(
    source: NetworkSource,
    private readonly lists: WarningLists,
    private readonly now: () => number,
  ) {
    this.tableInfo = source === 'asn' ? asTableInfo() : null;
  }

  /** A row with its labels. What the exchange said stands, and its lists are joined with the alliance's. */
  label(row: RawRow): RawRow {
    if (row.row !== 'observation') return row;
    const network = row.network === 'unknown' && this.tableInfo !== null ? this.classOf(row.ip) : row.network;
    const lists = this.listsOf(row);
    return network === row.network && lists === row.lists ? row : { ...row, network, lists };
  }

  private listsOf({ ip, lists }: RawObservation): readonly string[] {
    const found = this.lists.of(ip, this.now());
    if (found.length === 0) return lists;
    // The alliance's come first: a batch can name no more than these.
    return [...new Set([...found, ...lists])].slice(0, MAX_WARNING_LISTS);
  }

  private classOf(ip: string): Network {
    let found = this.remembered.get(ip);
    if (found === undefined) {
      this.table ??= AsTable.load();
      const system = this.table.find(ip);
      found = system === null ? 'unknown' : networkClass(ip, system);
      if (this.remembered.size >= REMEMBERED) this.remembered.clear();
      this.remembered.set(ip, found);
    }
    return found;
  }
}
