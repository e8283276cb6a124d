import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompactBatch, LegalBasis, Purpose } from '@app/member-sdk';
import { makeFolder, removeDrafts, syncFolder, writeDurably } from '../state/files.js';
import type { BuiltBatch } from './batch-builder.js';

/** What a spooled batch says of itself: the first line of its file; the compact form follows. */
export interface SpoolHeader {
  batchId: string;
  epoch: number;
  purpose: Purpose;
  legalBasis: LegalBasis;
  observations: number;
  allowEntries: number;
  keyFacts: number;
}

/** Everything of a batch but its sequence number, which is known when the hub is. */
export interface SpooledBatch {
  number: number;
  header: SpoolHeader;
  compact: Uint8Array;
}

/**
 * Batches on disk between reading and the hub's durable answer, numbered in the order they are to be sent. A batch's id
 * is fixed here, so a batch sent again after a kill is the same batch.
 */
export class Spool {
  private readonly sizes = new Map<number, number>();

  private constructor(
    private readonly folder: string,
    private readonly asideFolder: string,
  ) {}

  /**
   * Opens the folder. Files that the state does not know are removed: those from `next` on were never committed and
   * are built again, those up to `answered` have their answer.
   */
  static async open(stateFolder: string, next: number, answered: number): Promise<Spool> {
    const spool = new Spool(join(stateFolder, 'spool'), join(stateFolder, 'set-aside'));
    await makeFolder(spool.folder);
    await makeFolder(spool.asideFolder);
    await removeDrafts(spool.folder);
    for (const name of await readdir(spool.folder)) {
      const number = /^\d{12}\.batch$/.test(name) ? Number.parseInt(name, 10) : NaN;
      if (Number.isNaN(number)) continue;
      if (number >= next || number <= answered) await rm(join(spool.folder, name));
      else spool.sizes.set(number, (await stat(join(spool.folder, name))).size);
    }
    return spool;
  }

  /** Batches that wait, and their bytes on disk. */
  get batches(): number {
    return this.sizes.size;
  }

  get bytes(): number {
    let sum = 0;
    for (const size of this.sizes.values()) sum += size;
    return sum;
  }

  /** Numbers of the waiting batches, lowest first. */
  numbers(): number[] {
    return [...this.sizes.keys()].sort((a, b) => a - b);
  }

  /** Writes a batch, durable when resolved. It may be sent only after the state that counts its lines is committed. */
  async write(
    number: number,
    batch: BuiltBatch,
    envelope: Pick<SpoolHeader, 'epoch' | 'purpose' | 'legalBasis'>,
  ): Promise<void> {
    const { compact, ...counts } = batch;
    const header: SpoolHeader = { batchId: randomUUID(), ...envelope, ...counts };
    const bytes = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), compact]);
    await writeDurably(this.path(number), bytes);
    this.sizes.set(number, bytes.length);
  }

  async read(number: number): Promise<SpooledBatch> {
    const bytes = await readFile(this.path(number));
    const end = bytes.indexOf(10);
    const header = JSON.parse(bytes.toString('utf8', 0, end)) as SpoolHeader;
    return { number, header, compact: bytes.subarray(end + 1) };
  }

  async remove(number: number): Promise<void> {
    await rm(this.path(number), { force: true });
    this.sizes.delete(number);
  }

  /** Puts a batch that the hub will never take where a person can look at it, with the reason beside it. */
  async setAside(number: number, reason: string): Promise<void> {
    const name = this.name(number);
    await writeDurably(join(this.asideFolder, `${name}.reason`), `${reason}\n`);
    await rename(this.path(number), join(this.asideFolder, name)).catch((error: NodeJS.ErrnoException) => {
      // Moved before a kill that came before the state said so.
      if (error.code !== 'ENOENT') throw error;
    });
    await syncFolder(this.asideFolder);
    this.sizes.delete(number);
  }

  private name(number: number): string {
    return `${String(number).padStart(12, '0')}.batch`;
  }

  private path(number: number): string {
    return join(this.folder, this.name(number));
  }
}

/** The batch as the hub takes it. */
export function toCompactBatch(batch: SpooledBatch, sequence: number): CompactBatch {
  const { batchId, epoch, purpose, legalBasis } = batch.header;
  return { batchId, sequence, epoch, purpose, legalBasis, compact: batch.compact };
}
