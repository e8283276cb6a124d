/** Batches, their fold into observations and edges; the alliance's warning lists. */
export { Batches, type Intake } from './batches.service.js';
export * from './domain/batch.js';
export { EPOCH_STATES, MOST_PAIRS, type Destruction, type Epoch, type Pair, type Reenrolment } from './domain/epoch.js';
export * from './domain/erasure.js';
export * from './domain/warning-list.js';
export { EDGE_KEY_CLIENT, EDGE_KEY_IP } from './domain/edges.js';
export { Epochs, type ReenrolmentProgress } from './epochs.service.js';
export { Erase } from './erase.service.js';
export { Erasures } from './erasures.service.js';
export { Fold } from './fold.service.js';
export { ERASE, FOLD, RETAIN, ROTATE } from './jobs.js';
export { type Forgotten, KeyFollowers } from './key-followers.js';
export { BatchEntity } from './persistence/batch.entity.js';
export { Retain } from './retain.service.js';
export { Rotate } from './rotate.service.js';
export { SignalsModule } from './signals.module.js';
export { SubmitSignals, type Submission } from './submit-signals.service.js';
export { WarningLists } from './warning-lists.service.js';
