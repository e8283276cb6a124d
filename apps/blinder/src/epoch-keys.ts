import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { deriveKeyPair, SEED_BYTES } from '@app/blinding';
import { BongsuError } from '@app/protocol';
import { encodeBytes } from './elements.js';
import type { Evaluator } from './evaluator.js';
import { parseSeed } from './seed.js';

/** A key that was destroyed: what is left of it. */
export interface Destroyed {
  readonly epoch: number;
  /** base64url. */
  readonly publicKey: string;
  /** ISO 8601. */
  readonly at: string;
  /** Who asked for it. */
  readonly by: string;
}

/** What is published of an epoch. */
export interface PublishedEpoch {
  readonly epoch: number;
  readonly publicKey: string;
  readonly state: 'announced' | 'active' | 'retired' | 'destroyed';
}

/** Where the seed that the configuration names comes from. */
export interface GivenSeed {
  readonly epoch: number;
  readonly seed: Uint8Array;
  /** Its file, which is destroyed with it; undefined where the environment holds the seed itself. */
  readonly file: string | undefined;
}

interface Held {
  readonly seed: Uint8Array;
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly evaluator: Evaluator;
  readonly file: string | undefined;
}

interface Remembered {
  active: number;
  destroyed: Destroyed[];
}

const SEED_FILE = /^epoch-(\d+)\.seed$/;

/**
 * The keys of several epochs side by side, each from a seed file of its own, so that one can be destroyed: the seed that
 * the configuration names, and those that were prepared here (`epoch-N.seed`, mode 0600). `epochs.json` remembers which
 * epoch is the active one and which keys were destroyed.
 */
export class EpochKeys {
  private readonly held = new Map<number, Held>();
  private remembered: Remembered;

  /**
   * @param given undefined where the configured seed is gone because it was destroyed
   * @throws {BongsuError} CONFIG_INVALID for a damaged file, or without any key
   */
  constructor(
    private readonly dir: string,
    given: GivenSeed | undefined,
    private readonly evaluatorFor: (secretKey: Uint8Array) => Evaluator,
  ) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.remembered = this.recall(given?.epoch ?? 1);
    if (given && !this.isDestroyed(given.epoch)) this.hold(given.epoch, given.seed, given.file);
    for (const name of readdirSync(dir)) {
      const epoch = Number(SEED_FILE.exec(name)?.[1] ?? 0);
      if (epoch === 0 || this.held.has(epoch)) continue;
      const file = join(dir, name);
      // Destroying was cut off between its record and the file.
      if (this.isDestroyed(epoch)) erase(file);
      else this.hold(epoch, parseSeed(readFileSync(file, 'utf8'), file), file);
    }
    if (!this.held.has(this.active))
      throw new BongsuError(
        'CONFIG_INVALID',
        `BLINDER_KEY_FILE, BLINDER_KEY_DIR: no seed of the active epoch ${this.active} is there. Restore it.`,
        'BLINDER_KEY_DIR',
      );
  }

  get active(): number {
    return this.remembered.active;
  }

  /** Whether members only re-enrol under this epoch yet. */
  isAnnounced(epoch: number): boolean {
    return epoch > this.active;
  }

  /** @throws {BongsuError} EPOCH_UNKNOWN */
  evaluatorOf(epoch: number): Evaluator {
    const held = this.held.get(epoch);
    if (held) return held.evaluator;
    throw new BongsuError('EPOCH_UNKNOWN', `Epoch ${epoch} is not held here; see /v1/epochs.`, 'epoch');
  }

  /** Every epoch that is held, or was, oldest first. */
  list(): PublishedEpoch[] {
    const here = [...this.held].map(([epoch, { publicKey }]): PublishedEpoch => ({
      epoch,
      publicKey: encodeBytes(publicKey),
      state: epoch === this.active ? 'active' : this.isAnnounced(epoch) ? 'announced' : 'retired',
    }));
    const gone = this.remembered.destroyed.map(({ epoch, publicKey }): PublishedEpoch => ({
      epoch,
      publicKey,
      state: 'destroyed',
    }));
    return [...here, ...gone].sort((a, b) => a.epoch - b.epoch);
  }

  /** Makes the next epoch's key, once. @returns it, and whether it was made now. @throws {Error} of the file system */
  prepare(): { epoch: PublishedEpoch; made: boolean } {
    const epoch = this.active + 1;
    const made = !this.held.has(epoch);
    if (made) {
      const seed = new Uint8Array(randomBytes(SEED_BYTES));
      const file = join(this.dir, `epoch-${epoch}.seed`);
      write(file, `${Buffer.from(seed).toString('hex')}\n`);
      this.hold(epoch, seed, file);
    }
    return { epoch: this.list().find((one) => one.epoch === epoch)!, made };
  }

  /**
   * Makes the announced epoch the active one. Again is fine.
   * @throws {BongsuError} EPOCH_UNKNOWN; BAD_INPUT for an earlier one
   */
  activate(epoch: number): boolean {
    this.evaluatorOf(epoch);
    if (epoch === this.active) return false;
    if (epoch < this.active)
      throw new BongsuError('BAD_INPUT', `Epoch ${this.active} is active; an earlier one is never again.`, 'epoch');
    this.remember({ ...this.remembered, active: epoch });
    return true;
  }

  /**
   * Destroys an epoch's key: recorded first, so that a restart goes on with it; its seed overwritten and unlinked; what is
   * in memory overwritten, and the thread that held it ended. Again answers with the first record.
   * @throws {BongsuError} BAD_INPUT for the active epoch, an announced one, or a seed that lies in the environment
   */
  async destroy(epoch: number, by: string, at: Date): Promise<{ destroyed: Destroyed; now: boolean }> {
    const before = this.remembered.destroyed.find((one) => one.epoch === epoch);
    if (before) return { destroyed: before, now: false };
    this.evaluatorOf(epoch);
    if (epoch >= this.active)
      throw new BongsuError(
        'BAD_INPUT',
        `Epoch ${epoch} is in use; only a key that another has followed is destroyed.`,
        'epoch',
      );
    const { file, publicKey, seed, secretKey, evaluator } = this.held.get(epoch)!;
    if (file === undefined)
      throw new BongsuError(
        'BAD_INPUT',
        'The seed is in the environment (BLINDER_KEY), where it cannot be destroyed. Start with BLINDER_KEY_FILE.',
        'epoch',
      );
    const destroyed = { epoch, publicKey: encodeBytes(publicKey), at: at.toISOString(), by };
    this.remember({ ...this.remembered, destroyed: [...this.remembered.destroyed, destroyed] });
    this.held.delete(epoch);
    erase(file);
    await evaluator.close();
    seed.fill(0);
    secretKey.fill(0);
    return { destroyed, now: true };
  }

  async close(): Promise<void> {
    await Promise.all([...this.held.values()].map(({ evaluator }) => evaluator.close()));
  }

  private hold(epoch: number, seed: Uint8Array, file: string | undefined): void {
    // The epoch's number is in the derivation: a seed left over from another epoch gives another key, not the old one.
    const { secretKey, publicKey } = deriveKeyPair(seed, Buffer.from(`bongsu/v1/blinder/epoch/${epoch}`));
    this.held.set(epoch, { seed, secretKey, publicKey, evaluator: this.evaluatorFor(secretKey), file });
  }

  private isDestroyed(epoch: number): boolean {
    return this.remembered.destroyed.some((one) => one.epoch === epoch);
  }

  private recall(first: number): Remembered {
    const path = join(this.dir, 'epochs.json');
    if (!existsSync(path)) return { active: first, destroyed: [] };
    try {
      const { active, destroyed } = JSON.parse(readFileSync(path, 'utf8')) as Remembered;
      if (Number.isSafeInteger(active) && Array.isArray(destroyed)) return { active, destroyed };
    } catch {
      // Told below, in the same words as other content.
    }
    throw new BongsuError('CONFIG_INVALID', `BLINDER_KEY_DIR: ${path} is damaged. Restore it.`, 'BLINDER_KEY_DIR');
  }

  private remember(remembered: Remembered): void {
    const path = join(this.dir, 'epochs.json');
    write(`${path}.new`, `${JSON.stringify(remembered)}\n`);
    renameSync(`${path}.new`, path);
    syncFolder(this.dir);
    this.remembered = remembered;
  }
}

/** Writes a file for this user alone; on return it outlives the machine's power. */
function write(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncFolder(dirname(path));
}

/** Overwrites and unlinks a file. What a disk or a backup keeps of it beyond that is its keepers' to destroy. */
function erase(path: string): void {
  if (!existsSync(path)) return;
  const { size } = statSync(path);
  const file = openSync(path, 'r+');
  try {
    writeSync(file, Buffer.alloc(size, 0));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  unlinkSync(path);
  syncFolder(dirname(path));
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
