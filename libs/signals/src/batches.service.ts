import { Injectable } from '@nestjs/common';
import { Database, type Principal, type Tx } from '@app/infrastructure/database';
import { Jobs } from '@app/infrastructure/queue';
import { AuditLog, Refusals } from '@app/audit';
import { principalName } from '@app/infrastructure/database';
import { BongsuError } from '@app/protocol';
import type { BatchReceipt } from './domain/batch.js';
import { FOLD } from './jobs.js';
import { BatchEntity } from './persistence/batch.entity.js';
import { toReceipt } from './persistence/batch.mapper.js';

/** What one member has sent; withdrawn batches are left out. */
export interface Intake {
  member: string;
  batches: number;
  accepted: number;
  observations: number;
  rejected: number;
}

type Member = Extract<Principal, { kind: 'member' }>;

/** A member's own batches: what became of them, and taking one back. */
@Injectable()
export class Batches {
  constructor(
    private readonly database: Database,
    private readonly jobs: Jobs,
    private readonly audit: AuditLog,
    private readonly refusals: Refusals,
  ) {}

  /** The receipt of one of the member's batches, or null. */
  async receipt(member: Member, batchId: string): Promise<BatchReceipt | null> {
    const batch = await this.database.transaction(member, (tx) => this.find(tx, member, batchId));
    if (!batch) await this.refusals.missed(member, 'batch', batchId, 'batch');
    return batch && toReceipt(batch);
  }

  /** Highest sequence number the hub holds of the member; 0 where it holds none. */
  lastSequence(member: Member): Promise<number> {
    return this.database.transaction(member, async (tx) => {
      const last = await tx.maximum(BatchEntity, 'sequence' as never, { memberId: member.memberId });
      return Number(last ?? 0);
    });
  }

  /** What each member that the principal may see has sent. */
  intake(principal: Principal): Promise<Intake[]> {
    return this.database.transaction(principal, (tx) =>
      tx.query<Intake[]>(
        `SELECT m.name AS member, count(b.id)::int AS batches, coalesce(sum(b.accepted), 0)::int AS accepted,
           coalesce(sum(b.observations), 0)::int AS observations, coalesce(sum(b.rejected), 0)::int AS rejected
         FROM members m LEFT JOIN batches b ON b.member_id = m.id AND b.state IN ('stored', 'folded')
         GROUP BY m.name ORDER BY m.name`,
      ),
    );
  }

  /**
   * Takes a batch back: its observations, edges and facts will no longer stand. Again is fine.
   * @throws {BongsuError} NOT_FOUND
   */
  async withdraw(member: Member, batchId: string, reason: string): Promise<BatchReceipt> {
    const receipt = await this.database.transaction(member, async (tx) => {
      const batch = await this.find(tx, member, batchId);
      if (!batch) return null;
      if (batch.state === 'withdrawing' || batch.state === 'withdrawn') return toReceipt(batch);
      const before = { state: batch.state };
      batch.state = 'withdrawing';
      await tx.update(BatchEntity, { id: batch.id }, { state: 'withdrawing', withdrawReason: reason.slice(0, 500) });
      await this.audit.record(tx, {
        actor: principalName(member),
        action: 'batch.withdrawn',
        subject: `batch:${batchId}`,
        before,
        after: { state: batch.state },
        detail: { reason },
      });
      return toReceipt(batch);
    });
    if (!receipt) {
      await this.refusals.missed(member, 'batch', batchId, 'withdrawBatch');
      throw new BongsuError('NOT_FOUND', 'There is no batch of yours with this id.', 'batchId');
    }
    await this.jobs.wake(FOLD, {});
    return receipt;
  }

  private find(tx: Tx, member: Member, batchId: string): Promise<BatchEntity | null> {
    return tx
      .createQueryBuilder(BatchEntity, 'batch')
      .where('batch.memberId = :memberId AND CAST(batch.batchId AS text) = :batchId', {
        memberId: member.memberId,
        batchId,
      })
      .getOne();
  }
}
