import { BongsuError, canonicalEntries, checkListName } from '@app/protocol';

/** A warning list as staff hand it in. */
export interface NewWarningList {
  name: string;
  /** Where its entries come from, for members to judge: a publisher, a URL, a date. */
  source: string;
  description: string;
  /** CIDRs or addresses. */
  entries: readonly string[];
  expiresAt: Date;
  /** Lets in ranges that are not reachable on the Internet. */
  allowPrivate: boolean;
}

/** A warning list as members see it, without its entries. */
export interface WarningList {
  name: string;
  /** Rises by one with every change of this list. */
  version: number;
  /** Place of its last change among the changes of all lists. */
  cursor: number;
  source: string;
  description: string;
  entryCount: number;
  /** From then on it no longer counts. */
  expiresAt: Date;
  updatedAt: Date;
  /** When staff ended it; it has no entries then. Null while it stands. */
  endedAt: Date | null;
}

/** Longest life of a list, days: what nobody renews must not label addresses for ever. */
const LONGEST_DAYS = 366;
const DAY_MS = 86_400_000;

/**
 * A list that may be published, its entries canonical.
 * @param now milliseconds since 1970
 * @throws {BongsuError} LIST_NAME_INVALID; BAD_INPUT with the argument concerned
 */
export function checkWarningList(list: NewWarningList, now: number): NewWarningList {
  const name = checkListName(list.name);
  const source = plainText(list.source, 'source', 1, 500);
  const description = plainText(list.description, 'description', 0, 2000);
  const left = list.expiresAt.getTime() - now;
  if (!(left > 0 && left <= LONGEST_DAYS * DAY_MS))
    throw new BongsuError(
      'BAD_INPUT',
      `A list expires in the future, within ${LONGEST_DAYS} days; put it in again before then.`,
      'expiresAt',
    );
  return { ...list, name, source, description, entries: canonicalEntries(list.entries, list.allowPrivate) };
}

function plainText(text: string, where: string, least: number, most: number): string {
  const trimmed = text.trim();
  if (trimmed.length < least || trimmed.length > most || /\p{Cc}/u.test(trimmed.replace(/[\n\t]/g, '')))
    throw new BongsuError('BAD_INPUT', `${where} has ${least} to ${most} characters.`, where);
  return trimmed;
}
