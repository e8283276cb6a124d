import { BongsuError } from '@app/protocol';

/** Entries of a page where none are asked for, and at most. */
export const DEFAULT_PAGE = 100;
const MOST = 1000;

/** Relay's `after` and `first` as a cursor number and a count. @throws {BongsuError} BAD_INPUT */
export function page(
  after: string | null | undefined,
  first: number | null | undefined,
): { after: number; first: number } {
  const cursor = after ? Number(after) : 0;
  if (!Number.isSafeInteger(cursor) || cursor < 0)
    throw new BongsuError('BAD_INPUT', 'Not a cursor of this list.', 'after');
  const count = first ?? DEFAULT_PAGE;
  if (count < 1 || count > MOST) throw new BongsuError('BAD_INPUT', `A page has 1 to ${MOST} entries.`, 'first');
  return { after: cursor, first: count };
}
