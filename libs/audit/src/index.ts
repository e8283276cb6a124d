/** The audit: who changed what and when, and who was refused. Rows are added, never changed or deleted. */
export * from './audit-log.service.js';
export * from './audit-trail.service.js';
export * from './audit.module.js';
export * from './audit.repository.js';
export * from './refusals.service.js';
export { DenialLimit } from './domain/denial-limit.js';
export * from './fake-audit.repository.js';
export * from './persistence/audit-entry.entity.js';
