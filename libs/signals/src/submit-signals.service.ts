import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '@app/infrastructure/clock';
import { Database, type Principal, type Tx } from '@app/infrastructure/database';
import { createLogger, workContext } from '@app/infrastructure/logging';
import { counter, timed, timer } from '@app/infrastructure/metrics';
import { Jobs } from '@app/infrastructure/queue';
import {
  BongsuError,
  checkCompact,
  checkList,
  decodeColumns,
  encodeColumns,
  HOUR_MS,
  type CheckedBatch,
  type HourBounds,
  type LegalBasis,
  type Purpose,
  type RowsInput,
} from '@app/protocol';
import { Standards } from '@app/standard';
import type { BatchReceipt } from './domain/batch.js';
import { FOLD } from './jobs.js';
import { BatchEntity } from './persistence/batch.entity.js';
import { toReceipt } from './persistence/batch.mapper.js';
import { holdEpochs } from './persistence/epoch-lock.js';

/** A batch as it arrives: in the compact form, or as lists. */
export interface Submission {
  batchId: string;
  sequence: number;
  epoch: number;
  purpose: Purpose;
  legalBasis: LegalBasis;
  compact?: Uint8Array;
  rows?: RowsInput;
}

type Member = Extract<Principal, { kind: 'member' }>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UNIQUE_VIOLATION = '23505';

const BATCHES = counter({
  name: 'bongsu_ingest_batches_total',
  help: 'Batches submitted: stored, repeated (seen before), or refused whole, by the code of the refusal.',
  labels: ['result'],
});
const ROWS = counter({
  name: 'bongsu_ingest_rows_total',
  help: 'Rows of stored batches: accepted, or rejected by code.',
  labels: ['result'],
});
const BYTES = counter({ name: 'bongsu_ingest_bytes_total', help: 'Bytes of stored batches in their compact form.' });
const SECONDS = timer({
  name: 'bongsu_ingest_seconds',
  help: 'Time from a submitted batch to its durable answer, without sign-in and transport.',
});

/** Takes a batch in: checks every row, stores the good ones whole and durably, says which are refused and why. */
@Injectable()
export class SubmitSignals {
  private readonly logger = createLogger('ingest');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly jobs: Jobs,
    private readonly standards: Standards,
  ) {}

  /**
   * @returns the receipt; for a batch id that was seen before, with the same content, its first receipt again
   * @throws {BongsuError} BAD_INPUT, BATCH_MALFORMED, BATCH_TOO_LARGE, BATCH_CONFLICT, EPOCH_UNKNOWN, EPOCH_CLOSED
   */
  async submit(member: Member, submission: Submission): Promise<BatchReceipt> {
    try {
      return await timed(SECONDS, () => this.take(member, submission));
    } catch (error) {
      BATCHES.add({ result: error instanceof BongsuError ? error.code : 'INTERNAL' });
      throw error;
    }
  }

  private async take(member: Member, submission: Submission): Promise<BatchReceipt> {
    checkEnvelope(submission);
    const contentHash = hashOf(submission);
    try {
      const { receipt, stored } = await this.database.transaction(member, async (tx) => {
        const seen = await this.seenBefore(tx, member, submission, contentHash);
        if (seen) return { receipt: seen, stored: null };
        await checkEpoch(tx, submission.epoch);
        const checked = this.check(submission, await this.hourBounds(tx));
        const batch = await this.store(tx, member, submission, checked, contentHash);
        return { receipt: toReceipt(batch), stored: batch };
      });
      this.tell(member, receipt, stored);
      if (receipt.state === 'stored') await this.jobs.wake(FOLD, {});
      return receipt;
    } catch (error) {
      if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
      // The same batch arrived twice at once, or its sequence number is taken: the table now says which.
      return this.database.transaction(member, async (tx) => {
        const seen = await this.seenBefore(tx, member, submission, contentHash);
        if (seen) return seen;
        throw new BongsuError(
          'BATCH_CONFLICT',
          `Sequence ${submission.sequence} belongs to another batch; go on from lastSequence.`,
          'sequence',
        );
      });
    }
  }

  private tell(member: Member, receipt: BatchReceipt, stored: BatchEntity | null): void {
    const { batchId, accepted, rejected } = receipt;
    BATCHES.add({ result: stored ? 'stored' : 'repeated' });
    this.logger.info(
      { member: member.name, batch: stored?.id, batchId, accepted, rejected },
      stored ? 'a batch was stored' : 'a batch that was seen before',
    );
    if (!stored) return;
    BYTES.add({}, stored.payload.length);
    ROWS.add({ result: 'accepted' }, accepted);
    for (const { code } of receipt.rejections) ROWS.add({ result: code });
  }

  private async seenBefore(
    tx: Tx,
    member: Member,
    { batchId }: Submission,
    hash: Buffer,
  ): Promise<BatchReceipt | null> {
    const batch = await tx.findOneBy(BatchEntity, { memberId: member.memberId, batchId });
    if (!batch) return null;
    if (!batch.contentHash.equals(hash))
      throw new BongsuError(
        'BATCH_CONFLICT',
        'This batch id was used before with other content; choose a new one.',
        'batchId',
      );
    return toReceipt(batch);
  }

  private async hourBounds(tx: Tx): Promise<HourBounds> {
    const { policy } = await this.standards.current(tx);
    const newest = Math.floor(this.clock.now() / HOUR_MS);
    return { newest, oldest: newest - policy.retention.observationDays * 24 };
  }

  private check({ compact, rows }: Submission, bounds: HourBounds): CheckedBatch {
    return compact ? checkCompact(decodeColumns(compact), bounds) : checkList(rows!, bounds);
  }

  private async store(
    tx: Tx,
    member: Member,
    s: Submission,
    checked: CheckedBatch,
    contentHash: Buffer,
  ): Promise<BatchEntity> {
    const { accepted, rejections } = checked;
    const unchanged = s.compact && rejections.length === 0;
    const { count, hour } = accepted.observations;
    const batch = tx.create(BatchEntity, {
      memberId: member.memberId,
      batchId: s.batchId,
      sequence: String(s.sequence),
      epoch: s.epoch,
      purpose: s.purpose,
      legalBasis: s.legalBasis,
      receivedAt: new Date(this.clock.now()),
      contentHash,
      payload: Buffer.from(unchanged ? s.compact! : encodeColumns(accepted)),
      accepted: count + accepted.allowEntries.count + accepted.keyFacts.count,
      observations: count,
      rejected: rejections.length,
      rejections,
      notes: [],
      firstDay: count === 0 ? null : Math.floor(hour.reduce((least, h) => Math.min(least, h)) / 24),
      lastDay: count === 0 ? null : Math.floor(hour.reduce((most, h) => Math.max(most, h)) / 24),
      state: 'stored',
      foldedAt: null,
      requestId: workContext()?.requestId ?? null,
    });
    await tx.insert(BatchEntity, batch);
    return batch;
  }
}

function checkEnvelope(s: Submission): void {
  const refuse = (where: string, what: string) => new BongsuError('BAD_INPUT', what, where);
  if (!UUID.test(s.batchId)) throw refuse('batchId', 'A batch id is a UUID in lower case.');
  if (!Number.isSafeInteger(s.sequence) || s.sequence < 1)
    throw refuse('sequence', 'A sequence number is a whole number from 1.');
  if ((s.compact === undefined) === (s.rows === undefined))
    throw refuse('compact', 'A batch comes either in the compact form or as lists, not both and not neither.');
}

async function checkEpoch(tx: Tx, epoch: number): Promise<void> {
  await holdEpochs(tx);
  const [row] = await tx.query<{ state: string; asked: string | null }[]>(
    'SELECT state, asked FROM epochs WHERE number = $1::integer',
    [epoch],
  );
  if (!row)
    throw new BongsuError('EPOCH_UNKNOWN', `There is no epoch ${epoch}; ask the blinder for its epochs.`, 'epoch');
  if (row.state === 'announced')
    throw new BongsuError(
      'EPOCH_UNKNOWN',
      `Epoch ${epoch} is announced and not in use yet; send in the active one.`,
      'epoch',
    );
  // Late batches are put right before an epoch is closed: from then on there are none.
  if (row.state === 'closed' || row.asked === 'close')
    throw new BongsuError('EPOCH_CLOSED', `Epoch ${epoch} is closed; blind again in the active one.`, 'epoch');
}

function hashOf(s: Submission): Buffer {
  const envelope = JSON.stringify([s.sequence, s.epoch, s.purpose, s.legalBasis, s.rows ?? null]);
  return createHash('sha256')
    .update(envelope)
    .update(s.compact ?? new Uint8Array())
    .digest();
}
