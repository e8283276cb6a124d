/** What crosses the wire, pure: see docs/design.md. */
export * from './errors.js';
export * from './vocabulary.js';
export * from './tokens.js';
export * from './signals.js';
export * from './warning-lists.js';
export * from './exchange-records.js';
export * from './batch-columns.js';
export * from './batch-codec.js';
export * from './batch-checks.js';
export * from './batch-rows.js';
export * from './batch-trim.js';
export * from './events.js';
export * from './operations.js';
export * from './policy/index.js';
export * from './blinder-list.js';
export * from './development-mark.js';
export * from './endpoint.js';
