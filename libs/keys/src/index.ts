/** The hub's signing keys: what it signs events and access tokens with, and what others verify them by. */
export * from './domain/key-register.js';
export * from './domain/signing-key.js';
export * from './keys.module.js';
export * from './keys.options.js';
export * from './signing-key.repository.js';
export * from './fake-signing-key.repository.js';
export * from './signing-keys.service.js';
export * from './timed-cache.js';
export * from './persistence/signing-key.entity.js';
