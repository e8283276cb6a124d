import {
  OPERATIONS,
  type BatchSection,
  type DeclineReason,
  type ErrorCode,
  type LegalBasis,
  type OutcomeKind,
  type Purpose,
  type Rung,
} from '@app/protocol';
import type { JSONWebKeySet } from 'jose';
import { codeOf, DoorError } from './errors.js';
import { HubSession, type SessionOptions } from './hub-session.js';

/** How a member reaches the hub. */
export interface HubOptions extends Omit<SessionOptions, 'clientId'> {
  /** Member name, as registered. */
  member: string;
}

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

const RECEIPT =
  'batchId sequence receivedAt accepted rejected rejections { section index code message } state foldedAt ' +
  'notes { code message index }';
const ERASURE =
  'id kind target state requestedAt doneAt openRecommendations ' +
  'counts { keys observations allowEntries keyFacts batchRows recommendations tokens }';
const RECOMMENDATION =
  'id key rung state issuedAt deadline deliveredAt acknowledgedAt executedAt policyVersion probability ' +
  'reasons { code nats textKo textEn } explanationKo explanationEn customerNoticeKo customerNoticeEn ' +
  'supersedes outcome outcomeReason';
const SECTIONS = { OBSERVATIONS: 'observations', ALLOW_ENTRIES: 'allowEntries', KEY_FACTS: 'keyFacts' } as const;

/** The hub's doors as a member uses them. Every method throws {@link DoorError} and nothing else. */
export class HubClient {
  private readonly session: HubSession;

  constructor(options: HubOptions) {
    this.session = new HubSession({ ...options, clientId: `member:${options.member}` });
  }

  /** `iss` of the hub's events. */
  get issuer(): string {
    return this.session.issuer;
  }

  /** Sends a batch. The same batch again gets the first answer again, so a lost answer may be asked for by resending. */
  async submitSignals(batch: CompactBatch): Promise<BatchReceipt> {
    const { compact, purpose, legalBasis, ...rest } = batch;
    const input = {
      ...rest,
      purpose: purpose.toUpperCase(),
      legalBasis: legalBasis.toUpperCase(),
      compact: Buffer.from(compact.buffer, compact.byteOffset, compact.byteLength).toString('base64'),
    };
    const query = `mutation Submit($input: SubmitSignalsInput!) { submitSignals(input: $input) { ${RECEIPT} } }`;
    return receipt(await this.graphql(query, { input }, 'submitSignals', 60_000));
  }

  /** Takes a batch back: what it said no longer counts. */
  async withdrawBatch(batchId: string, reason: string): Promise<BatchReceipt> {
    const query = `mutation Withdraw($input: WithdrawBatchInput!) { withdrawBatch(input: $input) { ${RECEIPT} } }`;
    return receipt(await this.graphql(query, { input: { batchId, reason } }, 'withdrawBatch'));
  }

  /**
   * Has the hub erase everything about one of the member's keys, or one owner's keys at the member.
   * @param token 32 bytes
   */
  async erase(kind: 'key' | 'owner', token: Uint8Array, reason: string): Promise<ErasureReceipt> {
    const input = { [kind]: Buffer.from(token).toString('base64'), reason };
    if (kind === 'key') {
      const query = `mutation EraseKey($input: EraseKeyInput!) { eraseKey(input: $input) { ${ERASURE} } }`;
      return (await this.graphql(query, { input }, 'eraseKey')) as ErasureReceipt;
    }
    const query = `mutation EraseOwner($input: EraseOwnerInput!) { eraseOwner(input: $input) { ${ERASURE} } }`;
    return (await this.graphql(query, { input }, 'eraseOwner')) as ErasureReceipt;
  }

  /** How far an erasure has come; null when the hub has none of this id for this member. */
  async erasure(id: string): Promise<ErasureReceipt | null> {
    const query = `query Erasure($id: ID!) { erasure(id: $id) { ${ERASURE} } }`;
    return (await this.graphql(query, { id }, 'erasure')) as ErasureReceipt | null;
  }

  /** A batch's receipt; null when the hub does not have it. */
  async batch(id: string): Promise<BatchReceipt | null> {
    const answer = await this.graphql(`query Batch($id: ID!) { batch(id: $id) { ${RECEIPT} } }`, { id }, 'batch');
    return answer === null ? null : receipt(answer);
  }

  /** The highest batch sequence that the hub holds of this member; 0 for none. */
  async lastSequence(): Promise<number> {
    const answer = await this.graphql('query { lastSequence }', {}, 'lastSequence');
    return typeof answer === 'number' ? answer : 0;
  }

  /**
   * Recommendations in the order of their cursor.
   * @param after cursor to go on from
   */
  async recommendations(
    after: string | null,
    first = 100,
  ): Promise<{ items: HubRecommendation[]; cursor: string | null; more: boolean }> {
    const query =
      'query Recommendations($after: String, $first: Int) { recommendations(after: $after, first: $first) ' +
      `{ edges { cursor node { ${RECOMMENDATION} } } pageInfo { hasNextPage endCursor } } }`;
    const page = (await this.graphql(query, { after, first }, 'recommendations')) as {
      edges: { node: Record<string, unknown> }[];
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
    return {
      items: page.edges.map((edge) => recommendation(edge.node)),
      cursor: page.pageInfo.endCursor ?? after,
      more: page.pageInfo.hasNextPage,
    };
  }

  /** One recommendation; null when there is none of this id for this member. */
  async recommendation(id: string): Promise<HubRecommendation | null> {
    const query = `query Recommendation($id: ID!) { recommendation(id: $id) { ${RECOMMENDATION} } }`;
    try {
      const answer = await this.graphql(query, { id }, 'recommendation');
      return answer === null ? null : recommendation(answer as Record<string, unknown>);
    } catch (error) {
      if (error instanceof DoorError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  /** Reports an outcome. The same again is fine. @throws {DoorError} OUTCOME_CONFLICT on a contradiction */
  async reportOutcome(report: OutcomeReport): Promise<void> {
    const input = {
      ...report,
      outcome: report.outcome.toUpperCase(),
      reason: report.reason?.toUpperCase() ?? null,
      note: report.note ?? null,
    };
    const query = 'mutation Report($input: ReportOutcomeInput!) { reportOutcome(input: $input) { id } }';
    await this.graphql(query, { input }, 'reportOutcome');
  }

  /** The standard in force. */
  async currentStandard(): Promise<CurrentStandard> {
    const query = 'query { currentStandard { version effectiveFrom textKo textEn policy policySchema contentHash } }';
    return (await this.graphql(query, {}, 'currentStandard')) as CurrentStandard;
  }

  /**
   * Warning lists changed after a cursor, ended ones too, in the order of their last change. To follow them: keep the
   * cursor, and ask on from it while there is more.
   * @param after null for all
   * @param first lists in one answer, at most 8; each may hold 100,000 entries
   * @throws {DoorError} BAD_INPUT for a cursor that the hub never gave (it was restored from a copy): start again
   */
  async warningLists(
    after: string | null,
    first = 4,
  ): Promise<{ items: HubWarningList[]; cursor: string | null; more: boolean }> {
    const page = (await this.graphql(OPERATIONS.warningLists, { after, first }, 'warningLists', 60_000)) as {
      edges: { node: HubWarningList }[];
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
    return {
      items: page.edges.map((edge) => edge.node),
      cursor: page.pageInfo.endCursor ?? after,
      more: page.pageInfo.hasNextPage,
    };
  }

  /**
   * Asks for events, and acknowledges earlier ones in the same call (RFC 8936).
   * @param ack `jti` of what has been journalled
   * @param waitMs how long the hub may hold the call open until there is something; 0 to answer at once
   */
  async poll(
    ack: readonly string[],
    options: { maxEvents?: number; waitMs?: number; setErrs?: Record<string, unknown>; signal?: AbortSignal } = {},
  ): Promise<PollAnswer> {
    const waitMs = options.waitMs ?? 0;
    const answer = await this.session.call({
      method: 'POST',
      path: '/ssf/poll',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        maxEvents: options.maxEvents ?? 100,
        returnImmediately: waitMs === 0,
        ...(ack.length > 0 ? { ack } : {}),
        ...(options.setErrs ? { setErrs: options.setErrs } : {}),
      }),
      timeoutMs: waitMs + 30_000,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    if (answer.status !== 200) throw this.failure(answer.status, answer.body, answer.retryAfterMs);
    const body = answer.body as PollAnswer | null;
    if (typeof body?.sets !== 'object') throw this.bad('a poll without sets');
    return { sets: body.sets, moreAvailable: body.moreAvailable === true };
  }

  /** The hub's published signing keys. */
  async jwks(): Promise<JSONWebKeySet> {
    const answer = await this.session.door.call({ method: 'GET', path: '/.well-known/jwks.json' });
    if (answer.status !== 200) throw this.failure(answer.status, answer.body, answer.retryAfterMs);
    const body = answer.body as JSONWebKeySet | null;
    if (!Array.isArray(body?.keys)) throw this.bad('a key set without keys');
    return body;
  }

  /** Whether the hub answers at all; throws if not. */
  async live(): Promise<void> {
    const answer = await this.session.door.call({ method: 'GET', path: '/health/live', timeoutMs: 5_000 });
    if (answer.status !== 200) throw this.failure(answer.status, answer.body, answer.retryAfterMs);
  }

  async close(): Promise<void> {
    await this.session.close();
  }

  private async graphql(
    query: string,
    variables: Record<string, unknown>,
    field: string,
    timeoutMs?: number,
  ): Promise<unknown> {
    const answer = await this.session.call({
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    const body = answer.body as { data?: Record<string, unknown> | null; errors?: unknown[] } | null;
    if (answer.status !== 200 || body === null || (body.errors?.length ?? 0) > 0)
      throw this.failure(answer.status, body, answer.retryAfterMs);
    if (body.data === null || typeof body.data !== 'object' || !(field in body.data)) throw this.bad(`no ${field}`);
    return body.data[field] ?? null;
  }

  private failure(status: number, body: unknown, retryAfterMs: number | null): DoorError {
    const first = (body as { errors?: { message?: string; extensions?: { code?: unknown } }[] } | null)?.errors?.[0];
    const plain = body as { message?: string; description?: string } | null;
    const message = first?.message ?? plain?.message ?? plain?.description ?? `HTTP ${status}`;
    // A GraphQL error without a stable code comes with status 200 or 400: the call itself does not fit this hub.
    const code = codeOf(first?.extensions?.code, status === 200 ? 400 : status);
    const { label } = this.session.door;
    return new DoorError(label, code, `The ${label} answers ${code}: ${message}`, retryAfterMs, status);
  }

  private bad(what: string): DoorError {
    const { label } = this.session.door;
    return new DoorError(label, 'BAD_ANSWER', `The ${label} answers ${what}; is this the hub's address?`);
  }
}

function receipt(answer: unknown): BatchReceipt {
  const raw = answer as BatchReceipt & { rejections: { section: string }[] };
  return {
    ...raw,
    rejections: raw.rejections.map((r) => ({
      ...r,
      section: SECTIONS[r.section as keyof typeof SECTIONS] ?? r.section,
    })),
  };
}

function recommendation(node: Record<string, unknown>): HubRecommendation {
  const lower = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : null);
  return {
    ...node,
    rung: lower(node['rung']),
    outcome: lower(node['outcome']),
    outcomeReason: lower(node['outcomeReason']),
  } as HubRecommendation;
}
