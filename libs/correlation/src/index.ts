/** The engine: neighbourhoods from rows, detectors, combination, ladder. Pure: no I/O, no clock. */
export * from './domain/neighbourhood.js';
export * from './domain/assessment.js';
export { assess, rose } from './domain/assess.js';
export { summariseDay, WINDOWS_PER_DAY, type HourUse } from './domain/summarise-day.js';
export { burstCounts } from './domain/burst-counts.js';
export { inferClientKinds } from './domain/client-kinds.js';
export { lockstepCandidates, type CandidateContext } from './domain/lockstep-candidates.js';
export { explain, type Audience, type Language } from './domain/explain/explain.js';
export { reasonText } from './domain/explain/reason-text.js';
