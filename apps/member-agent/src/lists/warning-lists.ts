import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DoorError, parseCidr, type HubClient, type HubWarningList } from '@app/member-sdk';
import { AddressRanges } from '../network/address-ranges.js';
import { makeFolder, writeDurably } from '../state/files.js';

/** A list that counts, as the status tells it. */
export interface ListInUse {
  name: string;
  version: number;
  source: string;
  entries: number;
  /** ISO 8601, as the hub says. */
  updatedAt: string;
  expiresAt: string;
}

/** What the folder holds; each list's entries are in a file beside, one a line. */
interface Index {
  version: 1;
  /** How far the hub's changes have been followed; null before any. */
  cursor: string | null;
  /** When the hub last said that there is nothing newer, ISO 8601; null before. */
  syncedAt: string | null;
  lists: (ListInUse & { file: string })[];
}

/** A list ready to be asked. */
interface Loaded {
  name: string;
  /** Milliseconds since 1970. */
  expires: number;
  ranges: AddressRanges;
}

type Hub = Pick<HubClient, 'warningLists'>;

const NOTHING: Index = { version: 1, cursor: null, syncedAt: null, lists: [] };
const INDEX = 'index.json';
/** Addresses whose lists are remembered: a log repeats a few of them. */
const REMEMBERED = 100_000;
const NONE: readonly string[] = [];

/**
 * The alliance's warning lists as this machine holds them: followed from the hub, kept on disk, asked locally, so that
 * no address leaves. While the hub is away the last ones count, each until it expires. A change is whole or not at all:
 * entries go into new files, then the index is replaced.
 */
export class WarningLists {
  private index = NOTHING;
  /** In the order of the index. */
  private loaded: Loaded[] = [];
  private readonly remembered = new Map<string, readonly Loaded[]>();
  /** Why the lists may be old, in words; null while they are followed. */
  trouble: string | null = null;

  private constructor(private readonly folder: string) {}

  /** @param folder of the lists alone: files in it that the index does not name are removed */
  static async open(folder: string): Promise<WarningLists> {
    await makeFolder(folder);
    const lists = new WarningLists(folder);
    await lists.restore();
    await lists.removeUnused();
    return lists;
  }

  /** Where a state folder has them. */
  static folderIn(stateDir: string): string {
    return join(stateDir, 'lists');
  }

  /** When the hub last said that there is nothing newer, ISO 8601; null before. */
  get syncedAt(): string | null {
    return this.index.syncedAt;
  }

  /** Lists that count at a time (milliseconds since 1970), by name. */
  inUse(now: number): ListInUse[] {
    return this.index.lists
      .filter((list) => Date.parse(list.expiresAt) > now)
      .map(({ file: _, ...list }) => list)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Names of the lists that an address is on and that count at a time.
   * @throws {BongsuError} BAD_INPUT when it is not an address
   */
  of(ip: string, now: number): readonly string[] {
    if (this.loaded.length === 0) return NONE;
    let on = this.remembered.get(ip);
    if (on === undefined) {
      on = this.loaded.filter(({ ranges }) => ranges.find(ip) >= 0);
      if (this.remembered.size >= REMEMBERED) this.remembered.clear();
      this.remembered.set(ip, on);
    }
    return on.length === 0 ? NONE : on.filter(({ expires }) => expires > now).map(({ name }) => name);
  }

  /**
   * Follows the hub's changes. What keeps it from that is told in {@link trouble}, not thrown.
   * @param now milliseconds since 1970
   */
  async sync(hub: Hub, now: number): Promise<void> {
    try {
      await this.follow(hub, now);
      this.trouble = null;
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      const last = this.index.syncedAt === null ? 'none have come yet' : `they are of ${this.index.syncedAt}`;
      this.trouble = `${error.message} Warning lists cannot be followed; ${last}, and each counts until it expires.`;
    }
  }

  private async follow(hub: Hub, now: number): Promise<void> {
    let { cursor, lists } = this.index;
    for (let more = true; more;) {
      const page = await hub.warningLists(cursor).catch((error: unknown) => {
        // A cursor that the hub never gave: it was restored from an older copy, and what it has now is what counts.
        if (error instanceof DoorError && error.code === 'BAD_INPUT' && cursor !== null) return null;
        throw error;
      });
      if (page === null) {
        [cursor, lists] = [null, []];
        continue;
      }
      for (const list of page.items) lists = await this.changed(lists, list);
      ({ cursor, more } = page);
    }
    const index: Index = { version: 1, cursor, syncedAt: new Date(now).toISOString(), lists };
    await writeDurably(join(this.folder, INDEX), JSON.stringify(index, null, 1));
    await this.use(index);
    await this.removeUnused();
  }

  /** The lists with one of them changed; its entries are on disk afterwards. */
  private async changed(lists: Index['lists'], list: HubWarningList): Promise<Index['lists']> {
    const { name, version, source, entries, updatedAt, expiresAt, endedAt } = list;
    const others = lists.filter((other) => other.name !== name);
    if (endedAt !== null) return others;
    const file = `${randomUUID()}.txt`;
    await writeDurably(join(this.folder, file), `${entries.join('\n')}\n`);
    return [...others, { name, version, source, entries: entries.length, updatedAt, expiresAt, file }];
  }

  /** Takes up what is on disk. The lists are the hub's: if something is wrong with them, they are asked for anew. */
  private async restore(): Promise<void> {
    try {
      const index = JSON.parse(await readFile(join(this.folder, INDEX), 'utf8')) as Index;
      if (index.version === 1) await this.use(index);
    } catch {
      await this.use(NOTHING);
    }
  }

  private async use(index: Index): Promise<void> {
    const before = new Map(this.index.lists.map(({ file }, i) => [file, this.loaded[i]!]));
    const loaded: Loaded[] = [];
    for (const { name, file, expiresAt } of index.lists) {
      const ranges = before.get(file)?.ranges ?? (await this.load(file));
      loaded.push({ name, expires: Date.parse(expiresAt), ranges });
    }
    this.index = index;
    this.loaded = loaded;
    this.remembered.clear();
  }

  private async load(file: string): Promise<AddressRanges> {
    const text = await readFile(join(this.folder, file), 'utf8');
    return AddressRanges.of(text.split('\n').filter(Boolean).map(parseCidr));
  }

  private async removeUnused(): Promise<void> {
    const used = new Set([INDEX, ...this.index.lists.map(({ file }) => file)]);
    for (const file of await readdir(this.folder))
      if (!used.has(file)) await rm(join(this.folder, file), { force: true });
  }
}
