import type {
  BatchSection,
  DeclineReason,
  ErrorCode,
  LegalBasis,
  OutcomeKind,
  Purpose,
  Rung,
  TokenKind,
} from '@app/protocol';

/** A batch ready to leave: its envelope, and its rows in the compact form of libs/protocol. */
export interface CompactBatch {
  batchId: string;
  sequence: number;
  epoch: number;
  purpose: Purpose;
  legalBasis: LegalBasis;
  /** The compact form, bytes. */
  compact: Uint8Array;
}

/** The life of a blinding key, as the hub publishes it. */
export interface HubEpoch {
  number: number;
  state: 'ANNOUNCED' | 'ACTIVE' | 'CLOSING' | 'CLOSED';
  /** The holders' public keys (base64url) in the order in which every member asks them; empty where none are published. */
  publicKeys: string[];
}

/** One value's tokens under the key that goes and the one that comes, 32 bytes each. */
export interface TokenPair {
  kind: TokenKind;
  old: Uint8Array;
  new: Uint8Array;
}

/** What became of pairs. */
export interface ReenrolmentAnswer {
  accepted: number;
  /** NOT_FOUND: no folded row of the member has the old token. REENROLMENT_CONFLICT: one of the two is taken. */
  refused: { index: number; code: ErrorCode; message: string }[];
  /** Accepted pairs that are not carried over yet. After a switch, wait for none before sending in the new epoch. */
  pending: number;
}

/** The hub's durable answer to a batch. */
export interface BatchReceipt {
  batchId: string;
  sequence: number;
  /** ISO 8601, UTC. */
  receivedAt: string;
  accepted: number;
  rejected: number;
  rejections: { section: BatchSection; index: number; code: ErrorCode; message: string }[];
  state: 'STORED' | 'FOLDED' | 'WITHDRAWN';
  foldedAt: string | null;
  notes: { code: string; message: string; index: number | null }[];
}

/** A recommendation as the hub holds it. */
export interface HubRecommendation {
  id: string;
  /** The key's token, base64url. */
  key: string;
  rung: Rung;
  state: string;
  issuedAt: string;
  deadline: string;
  deliveredAt: string | null;
  acknowledgedAt: string | null;
  executedAt: string | null;
  policyVersion: string;
  /** 0 to 1. */
  probability: number;
  reasons: { code: string; nats: number; textKo: string; textEn: string }[];
  explanationKo: string;
  explanationEn: string;
  customerNoticeKo: string;
  customerNoticeEn: string;
  supersedes: string | null;
  outcome: OutcomeKind | null;
  outcomeReason: DeclineReason | null;
}

/** The standard in force. */
export interface CurrentStandard {
  version: string;
  effectiveFrom: string;
  textKo: string;
  textEn: string;
  policy: unknown;
  policySchema: unknown;
  contentHash: string;
}

/** What became of an erasure. */
export interface ErasureReceipt {
  id: string;
  kind: 'KEY' | 'OWNER' | 'MEMBER';
  /** Short form of the token. */
  target: string | null;
  state: 'REQUESTED' | 'DONE';
  /** ISO 8601, UTC. */
  requestedAt: string;
  doneAt: string | null;
  /** Recommendations that were still to be acted on; they are withdrawn. */
  openRecommendations: number;
  /** What went. */
  counts: Record<
    'keys' | 'observations' | 'allowEntries' | 'keyFacts' | 'batchRows' | 'recommendations' | 'tokens',
    number
  >;
}

/** A warning list of the alliance: addresses that many unrelated people share. */
export interface HubWarningList {
  name: string;
  /** Rises by one with every change of this list. */
  version: number;
  source: string;
  description: string;
  /** Networks (CIDR), canonical: sorted, none within another; none once the list has ended. */
  entries: string[];
  /** From then on it no longer counts. ISO 8601, UTC. */
  expiresAt: string;
  updatedAt: string;
  endedAt: string | null;
}

/** What the member did, or found. */
export interface OutcomeReport {
  recommendationId: string;
  outcome: OutcomeKind;
  reason?: DeclineReason | null;
  note?: string | null;
  /** ISO 8601, UTC. */
  at: string;
}

/** What a poll brought (RFC 8936). */
export interface PollAnswer {
  /** Security event tokens by `jti`. */
  sets: Record<string, string>;
  moreAvailable: boolean;
}
