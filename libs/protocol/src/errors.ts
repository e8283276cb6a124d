/**
 * Stable error codes: what every door of Bongsu answers when it refuses something. A code is never renamed or reused;
 * texts may change. GraphQL carries it in `extensions.code`, rows of a batch in `rejections[].code`.
 */
export const ERROR_CODES = {
  UNAUTHENTICATED: 'no valid access token',
  FORBIDDEN: 'the caller may not do this',
  NOT_FOUND: 'no such thing, or not yours',
  BAD_INPUT: 'an argument does not fit',
  PERSISTED_QUERY_NOT_FOUND: 'no document of this id is known; send its text',
  BATCH_TOO_LARGE: 'more rows or bytes than one batch may have',
  BATCH_MALFORMED: 'the compact form cannot be decoded',
  BATCH_CONFLICT: 'the batch id was used before with other content, or the sequence number belongs to another batch',
  BATCH_WITHDRAWN: 'the batch is already withdrawn',
  EPOCH_UNKNOWN: 'no such blinding epoch',
  EPOCH_CLOSED: 'the blinding epoch no longer accepts observations',
  REENROLMENT_CONFLICT: 'one of the two tokens is paired with another, or stands already',
  TOKEN_MALFORMED: 'not a token: 32 bytes are needed',
  HOUR_MALFORMED: 'not the start of an hour in UTC',
  HOUR_IN_FUTURE: 'the hour has not begun yet',
  HOUR_TOO_OLD: 'the hour lies before the retention limit',
  COUNT_OUT_OF_RANGE: 'a count is negative, fractional or absurd',
  SLOTS_OUT_OF_RANGE: 'slots are 12 bits: 0 to 4095',
  NETWORK_UNKNOWN: 'not a network class',
  ACCOUNT_TYPE_UNKNOWN: 'not an account type',
  PERMISSION_UNKNOWN: 'not a permission',
  TIME_MALFORMED: 'not an ISO 8601 time in UTC between 1970 and 2106',
  INTERVAL_INVALID: 'an end lies before its start',
  ROW_DUPLICATE: 'the batch already has a row for this key, IP, client and hour',
  LIST_NAME_INVALID: 'a list name has 1 to 64 characters, and a batch at most 32 of them',
  KEY_FACTS_CONFLICT: 'the facts contradict earlier ones; the stricter are used',
  OUTCOME_INVALID: 'the outcome does not fit the recommendation',
  OUTCOME_CONFLICT: 'the outcome contradicts one that was reported before',
  POLICY_INVALID: 'the policy breaks its schema or its rules',
  QUOTA_EXCEEDED: 'more than the caller may ask for; try again later',
  RATE_LIMITED: 'too many requests in a short time; wait as long as the answer says',
  UNAVAILABLE: 'a part that is needed is away; try again later',
  CONFIG_INVALID: 'a configuration value does not fit',
  INTERNAL: 'an error of the hub itself',
} as const;

/** One of the stable codes in {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** An expected failure with a stable code: what is wrong, where, and what to do about it. */
export class BongsuError extends Error {
  override readonly name = 'BongsuError';

  /**
   * @param code stable code
   * @param message what is wrong and what to do, for the person who reads it
   * @param where the argument, field, path or line concerned, if one is
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly where?: string,
  ) {
    super(message);
  }
}
