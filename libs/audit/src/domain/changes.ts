import { recordable, type Plain } from './recordable.js';

/** The state of something, field by field; null where it is not there. */
export type State = Record<string, unknown> | null | undefined;

/** What a change changed: on both sides only the fields that differ. Null on a side where there was nothing. */
export interface Changes {
  before: Record<string, Plain> | null;
  after: Record<string, Plain> | null;
}

/** The difference of two states, fit for the audit. */
export function changes(before: State, after: State): Changes {
  const [was, is] = [before ? fields(before) : null, after ? fields(after) : null];
  if (!was || !is) return { before: was, after: is };
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  const changed = names.filter((name) => textOf(was[name]) !== textOf(is[name]));
  const only = (side: Record<string, Plain>) =>
    Object.fromEntries(changed.filter((name) => name in side).map((name) => [name, side[name]!]));
  return { before: only(was), after: only(is) };
}

function fields(state: Record<string, unknown>): Record<string, Plain> {
  return recordable(state) as Record<string, Plain>;
}

/** One text for equal values, whatever the order of their fields. */
function textOf(value: Plain | undefined): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
