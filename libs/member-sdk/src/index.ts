/**
 * What an exchange needs to take part: blind values, send signals, receive and verify recommendations, report outcomes.
 * No framework in it. The member's agent is built on it.
 */
export * from './errors.js';
export { HttpDoor, type Answer, type Call } from './http.js';
export * from './member-key.js';
export { DoorTime, MAX_ALLOWANCE_MS, describeOffset } from './door-time.js';
export { HubSession, type SessionOptions, type TokenUse } from './hub-session.js';
export * from './hub-client.js';
export * from './hub-types.js';
export * from './blinder-client.js';
export * from './token-cache.js';
export * from './tokenizer.js';
export * from './event-verifier.js';
/** A hub and a blinder in memory behind the real doors, for tests of what is built on this. */
export { FakeHub, type FoldedObservation, type StoredBatch } from './testing/fake-hub.js';
export { FakeBlinder } from './testing/fake-blinder.js';
/** The vocabulary and formats that the calls above take and give. */
export * from '@app/protocol';
