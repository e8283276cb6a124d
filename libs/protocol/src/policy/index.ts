/** The policy: what the standard says in numbers (see `policy.ts`). */
export * from './detectors.js';
export * from './policy.js';
export * from './policy-schema.js';
export * from './default-policy.js';
export * from './policy-1.0.0.js';
export * from './calibrate.js';
export * from './check-policy.js';
