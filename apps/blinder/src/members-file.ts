import { readFile } from 'node:fs/promises';
import { BongsuError } from '@app/protocol';
import type { Logger } from '@app/infrastructure/logging';
import { LIST_REFUSED } from './blinder-metrics.js';
import { parseRoster, type Caller, type Roster } from './roster.js';

/**
 * The members file, followed: a change counts within one interval; a file that is gone or malformed leaves the last
 * good list in force and is logged once per change.
 */
export class MembersFile {
  private roster: Roster = new Map();
  private text = '';
  private complaint = '';
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly path: string,
    private readonly log: Logger,
  ) {}

  /**
   * @param intervalMs how often the file is read again, in milliseconds
   * @throws {BongsuError} CONFIG_INVALID naming BLINDER_MEMBERS_FILE when the first content cannot be used
   */
  static async open(path: string, log: Logger, intervalMs = 1000): Promise<MembersFile> {
    const file = new MembersFile(path, log);
    try {
      await file.read();
    } catch (error) {
      throw new BongsuError(
        'CONFIG_INVALID',
        `BLINDER_MEMBERS_FILE: ${(error as Error).message}`,
        'BLINDER_MEMBERS_FILE',
      );
    }
    file.follow(intervalMs);
    return file;
  }

  /** The caller of this name, if the list in force has one. */
  find(name: string): Caller | undefined {
    return this.roster.get(name);
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private follow(intervalMs: number): void {
    this.timer = setTimeout(() => {
      void this.refresh().finally(() => {
        if (this.timer !== undefined) this.follow(intervalMs);
      });
    }, intervalMs).unref();
  }

  private async refresh(): Promise<void> {
    try {
      if (await this.read()) this.log.info({ callers: this.roster.size }, 'members file reloaded');
      this.complaint = '';
      LIST_REFUSED.set({}, 0);
    } catch (error) {
      const complaint = (error as Error).message;
      LIST_REFUSED.set({}, 1);
      if (complaint !== this.complaint)
        this.log.error({ path: this.path, reason: complaint }, 'members file cannot be used; the last good list stays');
      this.complaint = complaint;
    }
  }

  private async read(): Promise<boolean> {
    const text = await readFile(this.path, 'utf8');
    if (text === this.text) return false;
    this.roster = parseRoster(text);
    this.text = text;
    return true;
  }
}
