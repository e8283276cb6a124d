import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log.service.js';
import { AuditRepository } from './audit.repository.js';
import { AuditAdapter } from './persistence/audit.adapter.js';

/** Needs `Clock` from the app. */
@Global()
@Module({
  providers: [{ provide: AuditRepository, useClass: AuditAdapter }, AuditLog],
  exports: [AuditLog],
})
export class AuditModule {}
