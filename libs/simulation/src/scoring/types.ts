import type { RungOrNone, TruthRecord } from '@app/protocol';
import type { Share } from './statistics.js';

/** What the hub said of one key (docs/formats.md, `per_key`). */
export interface KeyResult {
  member: string;
  access_key: string;
  /** Each time the key's rung changed, oldest first. */
  history: readonly { at: string; rung: RungOrNone }[];
  /** Final probability, 0 to 1. */
  probability: number;
  /** Detector codes. */
  reasons: readonly string[];
}

/** One labelled population and what was said of it. */
export interface JudgedPopulation {
  name: string;
  truth: Iterable<TruthRecord>;
  /** A key without a result counts as never on a rung, with probability 0. */
  results: Iterable<KeyResult>;
  /** From {@link BaselineCollector.scores}: what the naive classifiers say. */
  baselines?: BaselineScores;
  /** Groups of keys that are not independent, by `member/access_key`; a key without one stands alone. */
  groups?: Map<string, number>;
  /** Results of every exchange judged on its own data alone. */
  alone?: Iterable<KeyResult>;
}

/** Scores of the naive classifiers by `member/access_key`: higher is more suspect. */
export type BaselineScores = Record<BaselineName, Map<string, number>>;
export type BaselineName = 'owners_per_ip' | 'connected_components' | 'connected_components_capped';

/** How one segment fared. Shares of its keys that ever held at least the rung (lent keys: since their onset). */
export interface SegmentScore {
  segment: string;
  keys: number;
  lent: number;
  monitor: Share;
  warn: Share;
  reverify: Share;
  expire: Share;
  /** Median days from onset to the first rung, keys never found counted as never; null where it never came. */
  days: number | null;
}

/** A naive classifier at the threshold that finds most with at least the precision it is matched to. */
export interface BaselineScore {
  name: BaselineName;
  /** Highest precision at any threshold that flags at least ten keys, or as many as are lent. */
  best: { threshold: number; precision: number; recall: number } | null;
  /** Highest recall at no less than the wanted precision; null where no threshold reaches it. */
  matched: { threshold: number; precision: number; recall: number } | null;
}

/** One figure beside its goal (docs/detection.md). */
export interface Figure {
  figure: string;
  /** Null where the population has nothing to judge it by. */
  value: number | null;
  /** 95% interval of the value, by resampling groups of keys; null where it is not judged or not finite. */
  interval: [number, number] | null;
  goal: string;
  /** Null where it was not judged. */
  met: boolean | null;
  /** What the value rests on, for people. */
  basis: string;
}

/** Everything that is reported of the judged populations, as plain JSON. */
export interface Scores {
  populations: string[];
  keys: number;
  lent: number;
  /** Keys that are neither innocent nor lent, left out of every figure but their own segment's. */
  unscored: number;
  expire: Share;
  /** Innocent keys that ever held at least the rung. */
  false_positives: Record<'monitor' | 'warn' | 'reverify' | 'expire', Share>;
  /** Lent keys that ever held at least the rung since their onset. */
  recall: Record<'monitor' | 'warn' | 'reverify' | 'expire', Share>;
  brier: number | null;
  segments: SegmentScore[];
  figures: Figure[];
  /** Precision that the baselines are matched to: that of keys at the top two rungs. */
  matched_precision: number | null;
  baselines: BaselineScore[];
  together: Together | null;
}

/** All exchanges together beside each alone, on operators with one or two keys an exchange. */
export interface Together {
  keys: number;
  /** Recall at the top two rungs, all exchanges together. */
  together: number;
  precision: number;
  /** Recall of the exchanges alone, at the probability that gives no less precision; 0 where none does. */
  alone: number;
}
