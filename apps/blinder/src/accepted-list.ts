import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { BongsuError, type BlinderList } from '@app/protocol';

/** What is remembered of the newest list that was accepted. */
interface Remembered {
  readonly sequence: number;
  /** SHA-256 of its content: two lists of one sequence number are told apart. */
  readonly hash: string;
}

/**
 * Which list was accepted last, in `accepted-list.json`, so that none that was signed before it is taken again, after a
 * restart neither: a member that was struck off must not come back with an old list.
 */
export class AcceptedList {
  private readonly path: string;
  private newest: Remembered;

  /** @throws {BongsuError} CONFIG_INVALID for a file that holds something else; {Error} of the file system */
  constructor(dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.path = join(dir, 'accepted-list.json');
    this.newest = readRemembered(this.path);
  }

  /**
   * Remembers a list before it comes into force.
   * @throws {BongsuError} BAD_INPUT where a newer one, or another one of its number, was accepted
   */
  accept(list: BlinderList): void {
    const hash = createHash('sha256').update(JSON.stringify(list)).digest('hex');
    const { sequence } = list;
    if (sequence < this.newest.sequence)
      throw refused(`has sequence ${sequence}, but ${this.newest.sequence} was accepted before: it is out of date`);
    if (sequence === this.newest.sequence) {
      if (hash !== this.newest.hash) throw refused(`has sequence ${sequence}, as another one that was accepted before`);
      return;
    }
    this.write({ sequence, hash });
    this.newest = { sequence, hash };
  }

  private write(remembered: Remembered): void {
    const file = openSync(`${this.path}.new`, 'w', 0o600);
    try {
      writeSync(file, `${JSON.stringify(remembered)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${this.path}.new`, this.path);
  }
}

function readRemembered(path: string): Remembered {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { sequence: 0, hash: '' };
    throw error;
  }
  try {
    const { sequence, hash } = JSON.parse(text) as Remembered;
    if (Number.isSafeInteger(sequence) && typeof hash === 'string') return { sequence, hash };
  } catch {
    // Told below, in the same words as other content.
  }
  // To go on without it would let an old list in again: a person decides.
  throw new BongsuError(
    'CONFIG_INVALID',
    `BLINDER_STATE_DIR: ${path} is damaged. Restore it, or write {"sequence": N, "hash": ""} with the number of the newest list that was ever signed.`,
    'BLINDER_STATE_DIR',
  );
}

function refused(what: string): BongsuError {
  return new BongsuError('BAD_INPUT', `The list of members: it ${what}.`, 'sequence');
}
