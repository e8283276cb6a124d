export { DISTRIBUTIONS, MIX_NAMES, type DistributionName, type Mix, type MixName } from './distribution.js';
export {
  generatePopulation,
  type GroupRecord,
  type MemberDay,
  type PopulationOptions,
  type PopulationStream,
} from './population.js';
export * from './population-files.js';
export { BaselineCollector } from './scoring/baselines.js';
export { formatTable } from './scoring/format-table.js';
export { score } from './scoring/score.js';
export { shareOf, type Share } from './scoring/statistics.js';
export type {
  BaselineName,
  BaselineScore,
  BaselineScores,
  Figure,
  JudgedPopulation,
  KeyResult,
  Scores,
  SegmentScore,
  Together,
} from './scoring/types.js';
