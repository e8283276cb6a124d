import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Tx } from '@app/infrastructure/database';
import { createLogger, reasonOf } from '@app/infrastructure/logging';
import { decodeColumns, encodeColumns } from '@app/protocol';
import type { Epoch } from './domain/epoch.js';
import { KeyFollowers } from './key-followers.js';
import { turnEpochs } from './persistence/epoch-lock.js';
import { allEpochs } from './persistence/epochs.js';
import { asItStands } from './persistence/pairs.js';
import { announcePurge, holdOffFolds } from './persistence/purge-lock.js';
import { purgeTokens } from './persistence/purge-statements.js';
import {
  markApplied,
  moveAddressesToPrefixes,
  moveRows,
  movesLeft,
  renameInPlace,
} from './persistence/reenrol-statements.js';

const PRINCIPAL = { kind: 'job', name: 'rotate' } as const;
const BATCHES_A_STEP = 50;

/** Tokens purged in one statement: all that a switch left over are gone when it commits. */
const PURGED_AT_ONCE = 10_000;

/**
 * Turns epochs as staff asked: switches to the announced one, carries members' pairs over, closes the old one. Every
 * step is a transaction that looks anew at what is there.
 */
@Injectable()
export class Rotate {
  private readonly logger = createLogger('rotate');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly followers: KeyFollowers,
  ) {}

  /** Whether something waits. */
  due(): Promise<boolean> {
    return this.database.transaction(PRINCIPAL, async (tx) => (await nextOf(tx)) !== null);
  }

  /** One step. @returns false when nothing is left to do */
  async step(): Promise<boolean> {
    const next = await this.database.transaction(PRINCIPAL, nextOf);
    if (next === null) return false;
    await this.database.transaction(PRINCIPAL, async (tx) => {
      if (next !== 'close') {
        await this.followers.hold(tx);
        await holdOffFolds(tx);
      }
      await turnEpochs(tx);
      // Another worker may have done it meanwhile.
      if ((await nextOf(tx)) !== next) return;
      const epochs = await allEpochs(tx);
      if (next === 'switch')
        await this.switch(
          tx,
          epochs.find(({ asked }) => asked === 'switch')!,
        );
      else if (next === 'carry') await this.carryOver(tx);
      else
        await this.close(
          tx,
          epochs.find(({ asked }) => asked === 'close')!,
        );
    });
    return true;
  }

  private async switch(tx: Tx, { number }: Epoch): Promise<void> {
    const now = new Date(this.clock.now());
    await tx.query(`UPDATE epochs SET state = 'closing', closing_at = $1 WHERE state = 'active'`, [now]);
    await tx.query(`UPDATE epochs SET state = 'active', opened_at = $2, asked = NULL WHERE number = $1`, [number, now]);
    const detail = await this.carryOver(tx);
    await this.record(tx, 'epoch.switched', number, detail);
  }

  private async carryOver(tx: Tx) {
    const { renamed, keys } = await renameInPlace(tx);
    const moves = await movesLeft(tx);
    await moveRows(tx, moves);
    await moveAddressesToPrefixes(tx, moves);
    const pairs = await markApplied(tx, new Date(this.clock.now()));
    await this.followers.renamed(tx, keys);
    const left = [...new Set(moves.map((move) => move.from))];
    for (let i = 0; i < left.length; i += PURGED_AT_ONCE) await purgeTokens(tx, left.slice(i, i + PURGED_AT_ONCE));
    await announcePurge(tx);
    const done = { pairs, renamed, moved: moves.length };
    this.logger.info(done, 'pairs were carried over');
    return done;
  }

  /** Puts the pairs into the stored batches, some at a time; then forgets them: nothing ties old tokens to new ones. */
  private async close(tx: Tx, { number }: Epoch): Promise<void> {
    const batches = await tx.query<{ id: string; memberId: number; epoch: number; payload: Buffer }[]>(
      `SELECT id, member_id AS "memberId", epoch, payload FROM batches
       WHERE epoch = $1 AND id > (SELECT trimmed FROM epochs WHERE number = $1) ORDER BY id LIMIT $2 FOR UPDATE`,
      [number, BATCHES_A_STEP],
    );
    for (const batch of batches)
      try {
        const columns = decodeColumns(batch.payload);
        const standing = await asItStands(tx, batch, columns);
        if (standing !== columns)
          await tx.query('UPDATE batches SET payload = $2 WHERE id = $1', [
            batch.id,
            Buffer.from(encodeColumns(standing)),
          ]);
      } catch (error) {
        this.logger.error({ batch: batch.id, reason: reasonOf(error) }, 'a stored batch could not be read; it is kept');
      }
    const last = batches.at(-1);
    if (last) {
      await tx.query('UPDATE epochs SET trimmed = $2 WHERE number = $1', [number, last.id]);
      return;
    }
    await tx.query('DELETE FROM reenrolments');
    await tx.query('DELETE FROM reenrolled');
    await tx.query(`UPDATE epochs SET state = 'closed', closed_at = $2, asked = NULL WHERE number = $1`, [
      number,
      new Date(this.clock.now()),
    ]);
    await this.record(tx, 'epoch.closed', number, {});
  }

  private record(tx: Tx, action: string, number: number, detail: object): Promise<void> {
    return this.audit.record(tx, {
      actor: principalName(PRINCIPAL),
      action,
      subject: `epoch:${number}`,
      detail: { ...detail },
    });
  }
}

/** What is to be done next. Pairs are carried over from the switch until the old epoch is closed. */
async function nextOf(tx: Tx): Promise<'switch' | 'carry' | 'close' | null> {
  const epochs = await allEpochs(tx);
  if (epochs.some(({ asked }) => asked === 'switch')) return 'switch';
  if (!epochs.some(({ state }) => state === 'closing')) return null;
  const [row] = await tx.query<{ waits: boolean }[]>(
    'SELECT EXISTS (SELECT 1 FROM reenrolments WHERE applied_at IS NULL) AS waits',
  );
  if (row!.waits) return 'carry';
  return epochs.some(({ asked }) => asked === 'close') ? 'close' : null;
}
