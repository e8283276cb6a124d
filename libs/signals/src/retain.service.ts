import { Injectable } from '@nestjs/common';
import { Clock } from '@app/infrastructure/clock';
import { Database, type Tx } from '@app/infrastructure/database';
import { createLogger, reasonOf } from '@app/infrastructure/logging';
import { decodeColumns, encodeColumns, type Policy } from '@app/protocol';
import { Standards } from '@app/standard';
import { boundsOf, dayOf, DAY_MS, type RetentionBounds } from './domain/retention.js';
import { trimToDays } from './domain/trim-batch.js';
import { KeyFollowers } from './key-followers.js';
import { agedBatches, saveTrimmed } from './persistence/payloads.js';
import { announcePurge, holdOffFolds } from './persistence/purge-lock.js';
import {
  purgeAllowEntries,
  purgeDay,
  purgeEdges,
  purgeFacts,
  purgeTokensAfter,
} from './persistence/purge-statements.js';

/** What one transaction does at most. */
const DAYS_A_STEP = 10;
const ROWS_A_STEP = 5000;
const BATCHES_A_STEP = 50;

const PRINCIPAL = { kind: 'job', name: 'retain' } as const;

/**
 * Drops and purges what is older than the policy in force allows, once a day. Every step is a transaction that looks
 * anew at what is there, so a run that was killed, lost or doubled is made good by the next.
 */
@Injectable()
export class Retain {
  private readonly logger = createLogger('retain');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly standards: Standards,
    private readonly followers: KeyFollowers,
  ) {}

  /** Whether today's round has not been finished yet. */
  due(): Promise<boolean> {
    return this.step(async (tx) => {
      const [row] = await tx.query<{ day: number }[]>('SELECT swept_day AS day FROM retention');
      return row!.day < dayOf(this.clock.now());
    });
  }

  /** A whole round. Again is fine. */
  async run(): Promise<void> {
    const now = this.clock.now();
    const bounds = await this.step(async (tx) => boundsOf((await this.policy(tx)).retention, now));
    await this.dropDays(bounds);
    await this.purgeRows(bounds);
    await this.trimBatches(bounds);
    await this.expireRecords(bounds);
    await this.purgeTokens();
    await this.step((tx) => tx.query('UPDATE retention SET swept_day = greatest(swept_day, $1)', [dayOf(now)]));
  }

  private async dropDays({ oldestDay }: RetentionBounds): Promise<void> {
    await this.alone((tx) => tx.query('UPDATE retention SET oldest_day = $1', [oldestDay]));
    await this.untilDone(() =>
      this.alone(async (tx) => {
        const [row] = await tx.query<{ dropped: number }[]>('SELECT drop_observation_days($1, $2) AS dropped', [
          oldestDay,
          DAYS_A_STEP,
        ]);
        return row!.dropped === DAYS_A_STEP;
      }),
    );
  }

  private async purgeRows({ oldestDay, forgottenDay }: RetentionBounds): Promise<void> {
    const full = (gone: number) => gone === ROWS_A_STEP;
    for (const table of ['day_uses', 'key_days'] as const)
      await this.untilDone(() => this.step((tx) => purgeDay(tx, table, oldestDay)));
    await this.untilDone(() => this.alone(async (tx) => full(await purgeEdges(tx, oldestDay, ROWS_A_STEP))));
    await this.untilDone(() =>
      this.alone(async (tx) => full(await purgeFacts(tx, oldestDay, forgottenDay, ROWS_A_STEP))),
    );
    await this.untilDone(() => this.alone(async (tx) => full(await purgeAllowEntries(tx, oldestDay, ROWS_A_STEP))));
  }

  private async trimBatches({ oldestDay }: RetentionBounds): Promise<void> {
    let after = '0';
    await this.untilDone(async () => {
      const last = await this.step((tx) => this.trimSome(tx, after, oldestDay));
      after = last ?? after;
      return last !== null;
    });
  }

  /** @returns id of the last batch that was looked at, or null */
  private async trimSome(tx: Tx, after: string, oldestDay: number): Promise<string | null> {
    const batches = await agedBatches(tx, after, oldestDay, BATCHES_A_STEP);
    for (const { id, payload, erasedFacts, rejections, receivedAt } of batches)
      try {
        const received = dayOf(receivedAt.getTime());
        const trimmed = trimToDays(decodeColumns(payload), oldestDay, received, erasedFacts, rejections);
        await saveTrimmed(tx, id, trimmed, Buffer.from(encodeColumns(trimmed.columns)));
      } catch (error) {
        this.logger.error({ batch: id, reason: reasonOf(error) }, 'a stored batch could not be read; it is kept');
      }
    return batches.at(-1)?.id ?? null;
  }

  private async expireRecords({ forgottenDay }: RetentionBounds): Promise<void> {
    const before = new Date(forgottenDay * DAY_MS);
    await this.untilDone(() => this.step((tx) => this.followers.expire(tx, before, ROWS_A_STEP)));
    await this.step((tx) => tx.query(`DELETE FROM erasures WHERE state = 'done' AND done_at < $1`, [before]));
  }

  private async purgeTokens(): Promise<void> {
    let after = 0;
    await this.untilDone(() =>
      this.alone(async (tx) => {
        const purged = await purgeTokensAfter(tx, after, ROWS_A_STEP);
        if (purged && purged.gone > 0) await announcePurge(tx);
        after = purged?.last ?? after;
        return purged !== null;
      }),
    );
  }

  private async policy(tx: Tx): Promise<Policy> {
    return (await this.standards.current(tx)).policy;
  }

  private step<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.transaction(PRINCIPAL, work);
  }

  /** A step while nothing is being folded. */
  private alone<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.step(async (tx) => {
      await holdOffFolds(tx);
      return work(tx);
    });
  }

  /** Repeats a step for as long as it says that more may be left. */
  private async untilDone(step: () => Promise<boolean>): Promise<void> {
    while (await step());
  }
}
