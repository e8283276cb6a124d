export * from './jobs.js';
export * from './queue.module.js';
export * from './handlers.js';
export * from './job-host.js';
