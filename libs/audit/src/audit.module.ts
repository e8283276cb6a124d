import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log.service.js';
import { AuditTrail } from './audit-trail.service.js';
import { AuditRepository } from './audit.repository.js';
import { Denials } from './denials.service.js';
import { AuditAdapter } from './persistence/audit.adapter.js';

/** Needs `Database` and `Clock` from the app. */
@Global()
@Module({
  providers: [{ provide: AuditRepository, useClass: AuditAdapter }, AuditLog, AuditTrail, Denials],
  exports: [AuditLog, AuditTrail, Denials],
})
export class AuditModule {}
