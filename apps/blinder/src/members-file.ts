import type { JsonWebKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { BongsuError, openBlinderList, refuseDevelopment } from '@app/protocol';
import type { Logger } from '@app/infrastructure/logging';
import type { AcceptedList } from './accepted-list.js';
import { LIST_REFUSED } from './blinder-metrics.js';
import { rosterOf, type Caller, type Roster } from './roster.js';

/** What a list is held against. */
export interface ListRules {
  /** The alliance's public JWK. */
  readonly allianceKey: JsonWebKey;
  /** True: refuses members whose keys were made for development. */
  readonly production: boolean;
  readonly accepted: AcceptedList;
}

/**
 * The signed list of members, followed: a change counts within one interval; a file that is gone, malformed, not signed
 * by the alliance, or older than one accepted before leaves the last good list in force and is logged once per change.
 */
export class MembersFile {
  private roster: Roster = new Map();
  private sequence = 0;
  private text = '';
  private complaint = '';
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly path: string,
    private readonly rules: ListRules,
    private readonly log: Logger,
  ) {}

  /**
   * @param intervalMs how often the file is read again, in milliseconds
   * @throws {BongsuError} CONFIG_INVALID naming BLINDER_MEMBERS_FILE when the first content cannot be used
   */
  static async open(path: string, rules: ListRules, log: Logger, intervalMs = 1000): Promise<MembersFile> {
    const file = new MembersFile(path, rules, log);
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
      if (await this.read())
        this.log.info({ callers: this.roster.size, sequence: this.sequence }, 'list of members taken over');
      this.complaint = '';
      LIST_REFUSED.set({}, 0);
    } catch (error) {
      const complaint = (error as Error).message;
      LIST_REFUSED.set({}, 1);
      if (complaint !== this.complaint)
        this.log.error({ path: this.path, reason: complaint }, 'list of members refused; the last good one stays');
      this.complaint = complaint;
    }
  }

  private async read(): Promise<boolean> {
    const text = await readFile(this.path, 'utf8');
    if (text === this.text) return false;
    const { allianceKey, production, accepted } = this.rules;
    const list = await openBlinderList(text, allianceKey);
    if (production) refuseDevelopment(list, 'BLINDER_MEMBERS_FILE', 'list the members’ own keys, and sign it anew');
    const roster = rosterOf(list);
    accepted.accept(list);
    this.roster = roster;
    this.sequence = list.sequence;
    this.text = text;
    return true;
  }
}
