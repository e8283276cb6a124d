import { rungRank, type TruthRecord } from '@app/protocol';
import { FABRICATED } from '../segments/lying-exchange.js';
import type { KeyResult } from './types.js';

const DAY_MS = 86_400_000;

/** A key's truth and what was said of it, in numbers. */
export interface Judged {
  id: string;
  /** Keys of one group are resampled together. */
  group: string;
  segment: string;
  lent: boolean;
  /** Neither innocent nor lent. */
  unscored: boolean;
  /** Rank (see rungRank) of the highest rung ever held; for a lent key, since its onset. */
  highest: number;
  /** A lent key that was to be expired before it was lent. */
  early: boolean;
  /** Days from onset to the first rung held, Infinity where none was; NaN for keys that are not lent. */
  days: number;
  probability: number;
}

/** The name of a key among all members. */
export function keyId(member: string, accessKey: string): string {
  return `${member}/${accessKey}`;
}

/** Holds one key's history against its truth. */
export function judge(truth: TruthRecord, result: KeyResult | undefined, group?: string): Judged {
  const id = keyId(truth.member, truth.access_key);
  const judged: Judged = {
    id,
    group: group ?? id,
    segment: truth.segment,
    lent: truth.lent,
    unscored: truth.segment === FABRICATED,
    highest: 0,
    early: false,
    days: truth.lent ? Infinity : NaN,
    probability: result?.probability ?? 0,
  };
  const onset = truth.lent && truth.onset !== null ? Date.parse(truth.onset) : -Infinity;
  const history = result?.history ?? [];
  for (const [place, { at, rung }] of history.entries()) {
    const rank = rungRank(rung);
    const from = Date.parse(at);
    const until = history[place + 1] ? Date.parse(history[place + 1]!.at) : Infinity;
    // A rung that is still held when lending begins counts as held since.
    if (until <= onset) {
      if (rung === 'expire') judged.early = true;
      continue;
    }
    if (from < onset && rung === 'expire') judged.early = true;
    if (rank > 0 && truth.lent) judged.days = Math.min(judged.days, Math.max(0, (from - onset) / DAY_MS));
    judged.highest = Math.max(judged.highest, rank);
  }
  if (truth.lent && onset === -Infinity && judged.highest > 0) judged.days = 0;
  return judged;
}
