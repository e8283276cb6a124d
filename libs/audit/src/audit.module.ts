import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log.service.js';
import { AuditTrail } from './audit-trail.service.js';
import { AuditRepository } from './audit.repository.js';
import { Refusals } from './refusals.service.js';
import { AuditAdapter } from './persistence/audit.adapter.js';

/** Needs `Database` and `Clock` from the app. */
@Global()
@Module({
  providers: [{ provide: AuditRepository, useClass: AuditAdapter }, AuditLog, AuditTrail, Refusals],
  exports: [AuditLog, AuditTrail, Refusals],
})
export class AuditModule {}
