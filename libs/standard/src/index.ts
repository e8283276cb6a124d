/** The alliance's standard: its text in two languages and its policy, versioned. */
export * from './domain/canonical-json.js';
export * from './domain/clauses.js';
export * from './domain/standard.js';
export * from './fake-standard.repository.js';
export * from './first-standard/index.js';
export * from './persistence/standard.entity.js';
export * from './standard.module.js';
export * from './standard.repository.js';
export * from './standards.service.js';
