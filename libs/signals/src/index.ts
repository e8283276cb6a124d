/** Batches, their fold into observations and edges. */
export { Batches, type Intake } from './batches.service.js';
export * from './domain/batch.js';
export { EDGE_KEY_CLIENT, EDGE_KEY_IP } from './domain/edges.js';
export { Fold } from './fold.service.js';
export { FOLD } from './jobs.js';
export { BatchEntity } from './persistence/batch.entity.js';
export { SignalsModule } from './signals.module.js';
export { SubmitSignals, type Submission } from './submit-signals.service.js';
