export * from './database.js';
export * from './embedded-postgres.js';
export * from './migrate.js';
export * from './principal.js';
export { ROOT_BASE } from './embedded-binaries.js';
