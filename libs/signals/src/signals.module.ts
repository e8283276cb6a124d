import { Module } from '@nestjs/common';
import { AuditModule } from '@app/audit';
import { StandardModule } from '@app/standard';
import { Batches } from './batches.service.js';
import { Epochs } from './epochs.service.js';
import { Fold } from './fold.service.js';
import { SubmitSignals } from './submit-signals.service.js';
import { WarningLists } from './warning-lists.service.js';

/**
 * Needs `Database`, `Clock` and `Jobs` from the app. The hub adds `Erasures` beside its identity; the worker `Erase`,
 * `Retain` and `Rotate`, with what follows from signals (`KeyFollowers`).
 */
@Module({
  imports: [AuditModule, StandardModule],
  providers: [SubmitSignals, Batches, Fold, WarningLists, Epochs],
  exports: [SubmitSignals, Batches, Fold, WarningLists, Epochs],
})
export class SignalsModule {}
