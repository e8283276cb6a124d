import { ERROR_CODES, type ErrorCode } from '@app/protocol';

/**
 * Why a call to the hub or a blinder failed: one of the stable codes of the protocol, or what only the caller can see:
 * - `UNREACHABLE`: no connection, or it broke;
 * - `TIMEOUT`: no answer in time;
 * - `BAD_ANSWER`: an answer that is none (not JSON, another shape);
 * - `BAD_PROOF`: a blinder answered with another key than the pinned one;
 * - `EPOCH_MISMATCH`: a blinder does not offer the epoch and public key that were pinned.
 */
export type DoorErrorCode = ErrorCode | 'UNREACHABLE' | 'TIMEOUT' | 'BAD_ANSWER' | 'BAD_PROOF' | 'EPOCH_MISMATCH';

const RECOVERABLE: ReadonlySet<DoorErrorCode> = new Set([
  'UNREACHABLE',
  'TIMEOUT',
  'UNAVAILABLE',
  'QUOTA_EXCEEDED',
  'RATE_LIMITED',
  'INTERNAL',
]);

/** What is known of a failed call beside its code. */
export interface DoorErrorDetails {
  /** What the door's Retry-After said, milliseconds; null where it said nothing. */
  retryAfterMs?: number | null;
  /** The HTTP status, where there was an answer. */
  status?: number | null;
  /** What the call is known by in the door's logs. */
  requestId?: string | null;
}

/** A failed call: what failed, whether the same call may succeed later, and when to try at the earliest. */
export class DoorError extends Error {
  override readonly name = 'DoorError';
  /** Whether the same call can succeed later without anybody changing anything. */
  readonly recoverable: boolean;
  readonly retryAfterMs: number | null;
  readonly status: number | null;
  /** Name it to the alliance: the part that was called has it in its logs. */
  readonly requestId: string | null;

  /**
   * @param door the part that was called, for the person who reads it: `hub` or `blinder`, with its URL
   * @param code stable code
   * @param message what is wrong and what to do
   */
  constructor(
    readonly door: string,
    readonly code: DoorErrorCode,
    message: string,
    details: DoorErrorDetails = {},
  ) {
    super(message);
    this.recoverable = RECOVERABLE.has(code);
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.status = details.status ?? null;
    this.requestId = details.requestId ?? null;
  }
}

/** The stable code an answer named, if it is one; otherwise the one that its HTTP status stands for. */
export function codeOf(named: unknown, status: number): DoorErrorCode {
  if (typeof named === 'string' && Object.hasOwn(ERROR_CODES, named)) return named as ErrorCode;
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 404) return 'NOT_FOUND';
  if (status === 413) return 'BATCH_TOO_LARGE';
  if (status === 429) return 'RATE_LIMITED';
  if (status === 502 || status === 503 || status === 504) return 'UNAVAILABLE';
  return status >= 500 ? 'INTERNAL' : 'BAD_INPUT';
}
