import { MAX_BATCH_BYTES } from '@app/protocol';

/** What one GraphQL document may ask for. Every operation of ours stays far below; each number says why it is no lower. */
export const DOCUMENT_LIMITS = {
  /** Rows travel in variables: the longest document of ours has 60 tokens, the introspection of tools under 300. */
  tokens: 1500,
  /** Levels of fields. A list's page of nodes with a list of objects in each has 5. */
  depth: 8,
  /** Renamed fields: staff's commands use one. Without a limit one document asks a thousand times for a report. */
  aliases: 15,
  /** `@include` and `@skip`: none of ours uses any; tools use a few. */
  directives: 10,
  /**
   * Values that an answer may hold, a list with `first` taken times its page: the largest page of recommendations with
   * every field of each (about 32,000), but not two of them.
   */
  cost: 50_000,
} as const;

/** Bytes of a request's body. */
export const BODY_LIMITS = {
  /** At /graphql: a batch in base64 and its envelope. */
  graphql: Math.ceil((MAX_BATCH_BYTES * 4) / 3) + 1024 * 1024,
  /** At any other door: 1,000 acknowledgements and 100 refusals of events with their reasons. */
  other: 512 * 1024,
} as const;

/** Longest statement of the hub at PostgreSQL, ms: below the time of a request, so that its work ends before its answer. */
export const STATEMENT_MS = 25_000;

/** What a hub lets its callers do. Every number can be set for a test; operators set those that {@link HubConfig} reads. */
export interface HubLimits {
  /** Requests of one signed-in caller a minute, over all processes of the hub. */
  requestsPerMinute: number;
  /** Requests a minute and address without a token, for a token, or with one that is refused. */
  anonymousPerMinute: number;
  /** GraphQL requests of one caller under way in one process; more wait for their turn. */
  atOnce: number;
  /** Requests of one caller that may wait for a turn; more are refused. */
  waiting: number;
  /** Open connections of one address that is no trusted proxy. */
  connectionsPerAddress: number;
  /** ms for a GraphQL request to be answered, 503 when over. */
  graphqlMs: number;
  /** ms for a request's headers to arrive. */
  headersMs: number;
  /** ms for a whole request to arrive. */
  requestMs: number;
  /** ms that a connection without a request stays open. */
  keepAliveMs: number;
  /** ms between two looks for requests that are late. */
  lateCheckMs: number;
}

export const DEFAULT_LIMITS: HubLimits = {
  // 20 batches of 5,000 rows a second: what one hub folds.
  requestsPerMinute: 1200,
  // Several members can share an address; a refused signature costs a fraction of a millisecond.
  anonymousPerMinute: 1200,
  // Fewer than the hub's connections to PostgreSQL: nobody holds them all.
  atOnce: 8,
  waiting: 100,
  connectionsPerAddress: 256,
  // The longest that a member's software waits for most answers.
  graphqlMs: 30_000,
  headersMs: 10_000,
  // The largest batch over 2 Mbit/s.
  requestMs: 60_000,
  // Longer than the 10 s after which the SDK lets go of an idle connection: the hub never closes one that is just used.
  keepAliveMs: 15_000,
  lateCheckMs: 5_000,
};

/** Headers of one request, in number and in bytes together. */
export const HEADER_LIMITS = { count: 100, bytes: 16_384 } as const;
