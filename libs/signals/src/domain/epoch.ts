import { BongsuError, encodeToken, type BatchColumns, type TokenKind } from '@app/protocol';

/**
 * announced: the keys are published, members re-enrol. active: the one that batches are sent in. closing: late batches
 * are still taken. closed: refused; its keys can be destroyed.
 */
export const EPOCH_STATES = ['announced', 'active', 'closing', 'closed'] as const;
export type EpochState = (typeof EPOCH_STATES)[number];

/** What a holder says of a key that it has destroyed, as staff entered it. */
export interface Destruction {
  /** base64url, 32 bytes. */
  publicKey: string;
  destroyedAt: string;
  /** Who had it destroyed, in the holder's words. */
  by: string;
  /** Number of the holder's own audit entry. */
  auditSeq: number;
  /** Principal who entered it here. */
  recordedBy: string;
}

/** The life of a blinding key. */
export interface Epoch {
  number: number;
  state: EpochState;
  /** base64url, in the order in which holders are asked. Empty: not published here. */
  publicKeys: string[];
  announcedAt: Date | null;
  openedAt: Date | null;
  closingAt: Date | null;
  closedAt: Date | null;
  /** What staff have asked for and the jobs have not done yet. */
  asked: 'switch' | 'close' | null;
  destroyed: Destruction[];
}

/** Two tokens that a member says are one value: under the key that goes, and under the one that comes. */
export interface Pair {
  kind: TokenKind;
  old: Uint8Array;
  new: Uint8Array;
}

/** Most pairs of one call. */
export const MOST_PAIRS = 1000;

/** What became of pairs. */
export interface Reenrolment {
  accepted: number;
  refused: { index: number; code: 'NOT_FOUND' | 'REENROLMENT_CONFLICT' | 'TOKEN_MALFORMED'; message: string }[];
  /** Accepted pairs of the member's that no switch has carried over yet. */
  pending: number;
}

/**
 * Checks what an announcement says against the epochs that there are.
 * @param publicKeys base64url
 * @returns the epoch whose keys are published: the next one, or the active one, once, where it has none
 * @throws {BongsuError} BAD_INPUT
 */
export function checkAnnouncement(
  epochs: readonly Epoch[],
  number: number,
  publicKeys: readonly string[],
): 'new' | 'complete' | 'same' {
  const refuse = (where: string, what: string) => new BongsuError('BAD_INPUT', what, where);
  if (publicKeys.length < 1 || publicKeys.length > 2)
    throw refuse(
      'publicKeys',
      'An epoch has the public keys of one or two holders, in the order in which they are asked.',
    );
  for (const key of publicKeys)
    if (!/^[A-Za-z0-9_-]{43}$/.test(key)) throw refuse('publicKeys', 'A public key is 43 base64url characters.');
  if (new Set(publicKeys).size < publicKeys.length) throw refuse('publicKeys', 'Two holders have two keys.');
  const there = epochs.find((epoch) => epoch.number === number);
  if (there && there.publicKeys.length > 0) {
    if (there.publicKeys.join() === publicKeys.join()) return 'same';
    throw refuse(
      'publicKeys',
      `Other keys of epoch ${number} are published; they never change. Announce the next epoch.`,
    );
  }
  if (there) return 'complete';
  const other = epochs.find((epoch) => epoch.state === 'announced' || epoch.state === 'closing');
  if (other) throw refuse('number', `Epoch ${other.number} is ${other.state}; one change at a time.`);
  const newest = Math.max(...epochs.map((epoch) => epoch.number));
  if (number !== newest + 1) throw refuse('number', `The next epoch is ${newest + 1}.`);
  const reused = epochs.find((epoch) => epoch.publicKeys.some((key) => publicKeys.includes(key)));
  if (reused)
    throw refuse('publicKeys', `A key of epoch ${reused.number} is among them; each epoch has keys of its own.`);
  return 'new';
}

const DICTIONARIES = {
  key: 'keys',
  ip: 'ips',
  prefix: 'prefixes',
  owner: 'owners',
  client: 'clients',
} as const satisfies Record<TokenKind, keyof BatchColumns>;

/** The dictionaries of a batch, by the kind of their tokens. */
export function tokensOf(columns: BatchColumns): [TokenKind, readonly Uint8Array[]][] {
  return (Object.keys(DICTIONARIES) as TokenKind[]).map((kind) => [kind, columns[DICTIONARIES[kind]]]);
}

/**
 * A batch with the tokens that its member has paired replaced. A token whose pair is in the batch too stays: a dictionary
 * names a value once.
 * @param pairs by kind: old token (base64url) to new token
 */
export function translate(
  columns: BatchColumns,
  pairs: ReadonlyMap<TokenKind, ReadonlyMap<string, Uint8Array>>,
): BatchColumns {
  const translated = { ...columns };
  for (const [kind, tokens] of tokensOf(columns)) {
    const known = pairs.get(kind);
    if (!known || known.size === 0) continue;
    const there = new Set(tokens.map(encodeToken));
    translated[DICTIONARIES[kind]] = tokens.map((token) => {
      const fresh = known.get(encodeToken(token));
      return fresh === undefined || there.has(encodeToken(fresh)) ? token : fresh;
    });
  }
  return translated;
}
