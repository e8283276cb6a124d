import type { BatchReceipt } from '../domain/batch.js';
import type { BatchEntity } from './batch.entity.js';

export function toReceipt(batch: BatchEntity): BatchReceipt {
  return {
    batchId: batch.batchId,
    sequence: Number(batch.sequence),
    purpose: batch.purpose,
    legalBasis: batch.legalBasis,
    receivedAt: batch.receivedAt,
    accepted: batch.accepted,
    rejected: batch.rejected,
    rejections: batch.rejections,
    state: batch.state,
    foldedAt: batch.foldedAt,
    notes: batch.notes,
  };
}
