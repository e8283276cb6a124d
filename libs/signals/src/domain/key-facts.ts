/** A key's facts as stored. Indices and masks as in the vocabulary; times in seconds since 1970. */
export interface StoredFacts {
  ownerId: number;
  /** Index into ACCOUNT_TYPES; 0 = individual, the only one without protection. */
  accountType: number;
  /** Bit mask over PERMISSIONS. */
  permissions: number;
  createdAt: number;
  expiresAt: number | null;
  /** Sequence number of the batch whose owner stands. */
  sequence: number;
}

/**
 * What stands when a key's facts are given twice. An exchange re-issues a key when its facts change, so two versions
 * contradict each other, and the stricter stands, field by field: no protected account type, every permission, the
 * earlier creation, the earlier end; of two owners the one given first, by sequence number. The result does not depend
 * on the order of arrival.
 */
export function mergeFacts(a: StoredFacts, b: StoredFacts): { facts: StoredFacts; conflict: boolean } {
  const first = a.sequence <= b.sequence ? a : b;
  const ends = [a.expiresAt, b.expiresAt].filter((end) => end !== null);
  const conflict =
    a.ownerId !== b.ownerId ||
    a.accountType !== b.accountType ||
    a.permissions !== b.permissions ||
    a.createdAt !== b.createdAt ||
    a.expiresAt !== b.expiresAt;
  return {
    conflict,
    facts: {
      ownerId: first.ownerId,
      accountType: a.accountType === b.accountType ? a.accountType : 0,
      permissions: a.permissions | b.permissions,
      createdAt: Math.min(a.createdAt, b.createdAt),
      expiresAt: ends.length === 0 ? null : Math.min(...ends),
      sequence: first.sequence,
    },
  };
}
