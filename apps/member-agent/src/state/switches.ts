import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal, JournalledOutcome } from '../acting/journal.js';
import { makeFolder, writeDurably } from './files.js';

/** What a person has told the agent about one recommendation. */
export type Order = { order: 'release' } | { order: 'settle'; outcome: Omit<JournalledOutcome, 'at'> };

/**
 * Files by which commands speak to a running agent: `stop` halts acting while it exists; a file in `orders` releases or
 * settles one recommendation, and is removed once it is in the journal.
 */
export class SwitchBoard {
  constructor(private readonly stateDir: string) {}

  private get stopFile(): string {
    return join(this.stateDir, 'stop');
  }

  private get ordersFolder(): string {
    return join(this.stateDir, 'orders');
  }

  get stopped(): boolean {
    return existsSync(this.stopFile);
  }

  async stop(why: string): Promise<void> {
    await makeFolder(this.stateDir);
    await writeDurably(this.stopFile, `${why}\n`);
  }

  async resume(): Promise<void> {
    await rm(this.stopFile, { force: true });
  }

  async give(id: string, order: Order): Promise<void> {
    await makeFolder(this.ordersFolder);
    await writeDurably(join(this.ordersFolder, `${encodeURIComponent(id)}.json`), JSON.stringify(order));
  }

  /** Writes the orders found into the journal. An order for a recommendation that is not there stays. */
  async obey(journal: Journal, now: number): Promise<void> {
    const names = await readdir(this.ordersFolder).catch(() => [] as string[]);
    for (const name of names) {
      if (!name.endsWith('.json')) continue;
      const path = join(this.ordersFolder, name);
      const id = decodeURIComponent(name.slice(0, -'.json'.length));
      if (!journal.cases.has(id)) continue;
      const order = JSON.parse(await readFile(path, 'utf8')) as Order;
      if (order.order === 'release') await journal.write({ t: 'released', at: now, id });
      else {
        const outcomes = [{ ...order.outcome, at: now }];
        await journal.write({ t: 'result', at: now, id, by: 'person', outcomes });
      }
      await rm(path, { force: true });
    }
  }
}
