import type { BatchRows, Observation } from '@app/protocol';
import { allowEntry, facts, observation } from './signals.js';

/** The members of {@link lendingRows}, each with its share of the rows. */
export const LENDING_MEMBERS = ['upbit', 'bithumb', 'coinone'] as const;

/** Keys that one operator runs from one address at all three members; each has an owner of its own. */
export const lentKeys = (member: string): string[] => [1, 2].map((n) => `${member} lent ${n}`);
/** Keys of people who use their own address. */
export const ordinaryKeys = (member: string): string[] => [1, 2, 3, 4].map((n) => `${member} own ${n}`);

/**
 * A small population in which a few keys are plainly lent: six owners at three exchanges register the same hosting
 * address on the third day and go on with the same rare client there, bursting together. Everybody else stays at home.
 * @param days how many days, from the first day on
 */
export function lendingRows(member: string, days: number): BatchRows {
  const rows: BatchRows = { observations: [], allowEntries: [], keyFacts: [] };
  const everyDay = (from: number, row: (hour: number) => Observation) => {
    for (let day = from; day < days; day++) for (const hour of [2, 9, 16]) rows.observations.push(row(day * 24 + hour));
  };
  for (const key of ordinaryKeys(member)) {
    rows.keyFacts.push(facts(key, `of ${key}`));
    rows.allowEntries.push(allowEntry(key, `home of ${key}`, 0));
    everyDay(0, (hour) => observation(key, `home of ${key}`, hour));
  }
  for (const key of lentKeys(member)) {
    rows.keyFacts.push(facts(key, `of ${key}`));
    rows.allowEntries.push(allowEntry(key, 'the operator', 48));
    everyDay(2, (hour) => observation(key, 'the operator', hour, { client: 'client rare bot', burstSlots: 0b10010 }));
  }
  return rows;
}
