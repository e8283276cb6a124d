import { RUNGS, rungRank } from '@app/protocol';
import { matchBaseline, recallAtPrecision } from './baselines.js';
import { bootstrap } from './bootstrap.js';
import { figuresOf, type FigureInput } from './figures.js';
import { judge, keyId, type Judged } from './judge.js';
import { median, shareOf } from './statistics.js';
import type {
  BaselineName,
  BaselineScore,
  JudgedPopulation,
  KeyResult,
  Scores,
  SegmentScore,
  Together,
} from './types.js';

const TOP_TWO = rungRank('reverify');
const EXPIRE = rungRank('expire');
/** Operators that show each exchange one or two keys. */
const SPLIT_SEGMENT = 'operator_split';

/** Judges populations pooled: every key counts once, whichever population it is from. */
export function score(populations: readonly JudgedPopulation[]): Scores {
  const all: Judged[] = [];
  const alone: Judged[] = [];
  const naive = new Map<BaselineName, { score: number; lent: boolean }[]>();
  for (const [place, population] of populations.entries()) {
    const results = byKey(population.results);
    const single = population.alone ? byKey(population.alone) : undefined;
    for (const record of population.truth) {
      const id = keyId(record.member, record.access_key);
      const judged = judge(record, results.get(id), `${place}/${population.groups?.get(id) ?? id}`);
      all.push(judged);
      if (single) alone.push(judge(record, single.get(id)));
      if (judged.unscored || !population.baselines) continue;
      for (const [name, scores] of Object.entries(population.baselines) as [BaselineName, Map<string, number>][])
        append(naive, name, { score: scores.get(id) ?? 0, lent: judged.lent });
    }
  }
  const scored = all.filter(({ unscored }) => !unscored);
  const topTwo = scored.filter(({ highest }) => highest >= TOP_TWO);
  const precision = topTwo.length > 0 ? topTwo.filter((key) => key.lent).length / topTwo.length : null;
  const together = alone.length > 0 ? compare(scored, alone, precision) : null;
  const summary = summarise(scored);
  const intervals = bootstrap(scored, (sample) =>
    figuresOf({ ...summarise(sample), together: null }, sample).map(({ value }) => value),
  );
  return {
    populations: populations.map(({ name }) => name),
    keys: all.length,
    lent: scored.filter(({ lent }) => lent).length,
    unscored: all.length - scored.length,
    ...summary,
    segments: segmentsOf(all),
    figures: figuresOf({ ...summary, together }, scored).map((figure, place) => ({
      ...figure,
      interval: figure.value === null ? null : intervals[place]!,
    })),
    matched_precision: precision,
    baselines: [...naive].map(([name, keys]): BaselineScore => matchBaseline(name, keys, precision)),
    together,
  };
}

/** What the figures rest on, of keys that are innocent or lent. */
function summarise(scored: readonly Judged[]): Pick<Scores, Exclude<FigureInput, 'together'> | 'recall'> {
  // Expiry before lending began was wrong, whatever came after.
  const expired = scored.filter(({ highest, early }) => highest >= EXPIRE || early);
  const wrong = scored.reduce((sum, key) => sum + (key.probability - (key.lent ? 1 : 0)) ** 2, 0);
  return {
    expire: shareOf(expired.filter((key) => key.lent && !key.early).length, expired.length),
    false_positives: atLeast(scored.filter(({ lent }) => !lent)),
    recall: atLeast(scored.filter(({ lent }) => lent)),
    brier: scored.length > 0 ? wrong / scored.length : null,
    segments: segmentsOf(scored),
  };
}

function byKey(results: Iterable<KeyResult>): Map<string, KeyResult> {
  const map = new Map<string, KeyResult>();
  for (const result of results) map.set(keyId(result.member, result.access_key), result);
  return map;
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** Shares of keys that ever held at least each rung. */
function atLeast(keys: readonly Judged[]): Scores['recall'] {
  const share = (rank: number) => shareOf(keys.filter(({ highest }) => highest >= rank).length, keys.length);
  const [monitor, warn, reverify, expire] = RUNGS.map((rung) => share(rungRank(rung)));
  return { monitor: monitor!, warn: warn!, reverify: reverify!, expire: expire! };
}

function segmentsOf(keys: readonly Judged[]): SegmentScore[] {
  const groups = new Map<string, Judged[]>();
  for (const key of keys) append(groups, key.segment, key);
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([segment, members]) => {
      const lent = members.filter((key) => key.lent);
      return {
        segment,
        keys: members.length,
        lent: lent.length,
        ...atLeast(members),
        days: median(lent.map(({ days }) => days)),
      };
    });
}

function compare(together: readonly Judged[], alone: readonly Judged[], precision: number | null): Together | null {
  const split = together.filter(({ segment, lent }) => segment === SPLIT_SEGMENT && lent);
  if (split.length === 0 || precision === null) return null;
  const single = alone.filter(({ unscored }) => !unscored).map((key) => ({ score: key.probability, ...key }));
  const at = recallAtPrecision(single, precision);
  const mine = single.filter(({ segment, lent }) => segment === SPLIT_SEGMENT && lent);
  return {
    keys: split.length,
    precision,
    together: split.filter(({ highest }) => highest >= TOP_TWO).length / split.length,
    alone: at === null ? 0 : mine.filter((key) => key.score >= at.threshold).length / mine.length,
  };
}
