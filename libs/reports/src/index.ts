/** Aggregates for regulators: counted, suppressed, signed. */
export * from './domain/report.js';
export * from './domain/suppression.js';
export { REPORT } from './jobs.js';
export { Reports, type SignedReport } from './reports.service.js';
