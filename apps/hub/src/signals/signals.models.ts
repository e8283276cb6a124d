import { Field, Float, ID, Int, ObjectType } from '@nestjs/graphql';
import type { BatchSection } from '@app/protocol';
import type { BatchReceipt } from '@app/signals';
import { BatchSectionEnum, BatchStateEnum } from '../graphql/enums.js';

@ObjectType('Rejection', { description: 'A row that was refused.' })
export class RejectionModel {
  @Field(() => BatchSectionEnum) section: BatchSection;
  @Field(() => Int, { description: 'Position of the row as it was sent, from 0.' }) index: number;
  @Field() code: string;
  @Field() message: string;
}

@ObjectType('BatchNote', { description: 'What only folding could see of an accepted row.' })
export class BatchNoteModel extends RejectionModel {}

@ObjectType('BatchReceipt', { description: 'What became of a batch.' })
export class BatchReceiptModel {
  @Field(() => ID) batchId: string;
  @Field(() => Float) sequence: number;
  @Field() receivedAt: Date;
  @Field(() => Int) accepted: number;
  @Field(() => Int) rejected: number;
  @Field(() => [RejectionModel]) rejections: RejectionModel[];
  @Field(() => BatchStateEnum) state: string;
  @Field(() => Date, { nullable: true }) foldedAt: Date | null;
  @Field(() => [BatchNoteModel]) notes: BatchNoteModel[];
}

export function receiptModel(receipt: BatchReceipt): BatchReceiptModel {
  return { ...receipt, state: receipt.state === 'withdrawing' ? 'withdrawn' : receipt.state };
}
