/** The only way by which the hub and the worker send to addresses that somebody else chose. */
export * from './checked-lookup.js';
export * from './outgoing.js';
