import type { JSONWebKeySet } from 'jose';
import { DoorError } from './errors.js';
import type { Call } from './http.js';
import { badAnswer, failed, HubGraphql } from './hub-graphql.js';
import { HubSession, type SessionOptions } from './hub-session.js';
import type {
  BatchReceipt,
  CompactBatch,
  CurrentStandard,
  ErasureReceipt,
  HubEpoch,
  HubRecommendation,
  HubWarningList,
  OutcomeReport,
  PollAnswer,
  ReenrolmentAnswer,
  TokenPair,
} from './hub-types.js';
import type { MemberKey } from './member-key.js';

/** How a member reaches the hub. */
export interface HubOptions extends Omit<SessionOptions, 'clientId'> {
  /** Member name, as registered. */
  member: string;
}

/** Seconds a proof of a new key holds; the hub takes at most 300. */
const KEY_PROOF_SECONDS = 240;
const SECTIONS = { OBSERVATIONS: 'observations', ALLOW_ENTRIES: 'allowEntries', KEY_FACTS: 'keyFacts' } as const;

/** The hub's doors as a member uses them. Every method throws {@link DoorError} and nothing else. */
export class HubClient {
  private readonly session: HubSession;
  private readonly graphql: HubGraphql;

  constructor(options: HubOptions) {
    this.session = new HubSession({ ...options, clientId: `member:${options.member}` });
    this.graphql = new HubGraphql(this.session);
  }

  /** `iss` of the hub's events. */
  get issuer(): string {
    return this.session.issuer;
  }

  /** Name of the key that the hub took last; null before it took one. */
  get keyInUse(): string | null {
    return this.session.keyInUse;
  }

  /** Milliseconds by which the hub's clock is ahead of this machine's; null before its first answer. */
  get clockOffsetMs(): number | null {
    return this.session.door.time.offsetMs;
  }

  /**
   * Sends a batch; its id is the request's id too. The same batch again gets the first answer again, so a lost answer
   * may be asked for by resending.
   */
  async submitSignals(batch: CompactBatch): Promise<BatchReceipt> {
    const { compact, purpose, legalBasis, ...rest } = batch;
    const input = {
      ...rest,
      purpose: purpose.toUpperCase(),
      legalBasis: legalBasis.toUpperCase(),
      compact: Buffer.from(compact.buffer, compact.byteOffset, compact.byteLength).toString('base64'),
    };
    const options = { timeoutMs: 60_000, requestId: batch.batchId };
    return receipt(await this.graphql.run('submitSignals', { input }, options));
  }

  /** Takes a batch back: what it said no longer counts. */
  async withdrawBatch(batchId: string, reason: string): Promise<BatchReceipt> {
    return receipt(await this.graphql.run('withdrawBatch', { input: { batchId, reason } }));
  }

  /**
   * Has the hub erase everything about one of the member's keys, or one owner's keys at the member.
   * @param token 32 bytes
   */
  async erase(kind: 'key' | 'owner', token: Uint8Array, reason: string): Promise<ErasureReceipt> {
    const input = { [kind]: Buffer.from(token).toString('base64'), reason };
    return (await this.graphql.run(kind === 'key' ? 'eraseKey' : 'eraseOwner', { input })) as ErasureReceipt;
  }

  /** How far an erasure has come; null when the hub has none of this id for this member. */
  async erasure(id: string): Promise<ErasureReceipt | null> {
    return (await this.graphql.run('erasure', { id })) as ErasureReceipt | null;
  }

  /** A batch's receipt; null when the hub does not have it. */
  async batch(id: string): Promise<BatchReceipt | null> {
    const answer = await this.graphql.run('batch', { id });
    return answer === null ? null : receipt(answer);
  }

  /** Every epoch, oldest first. */
  async epochs(): Promise<HubEpoch[]> {
    return (await this.graphql.run('epochs', {})) as HubEpoch[];
  }

  /**
   * Tells the hub which tokens are the same value under the epoch that goes and the one that comes. Again is fine.
   * @param epoch the one that comes
   * @param pairs at most 1,000
   * @param complete there are no more
   * @throws {DoorError} EPOCH_UNKNOWN where the epoch is not one to re-enrol for
   */
  async reenroll(epoch: number, pairs: readonly TokenPair[], complete: boolean): Promise<ReenrolmentAnswer> {
    const text = (token: Uint8Array) => Buffer.from(token).toString('base64');
    const sent = pairs.map((pair) => ({ kind: pair.kind.toUpperCase(), old: text(pair.old), new: text(pair.new) }));
    return (await this.graphql.run('reenroll', { input: { epoch, pairs: sent, complete } })) as ReenrolmentAnswer;
  }

  /** The highest batch sequence that the hub holds of this member; 0 for none. */
  async lastSequence(): Promise<number> {
    const answer = await this.graphql.run('lastSequence', {});
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
    const page = (await this.graphql.run('recommendations', { after, first })) as {
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
    try {
      const answer = await this.graphql.run('recommendation', { id });
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
    await this.graphql.run('reportOutcome', { input });
  }

  /** The standard in force. */
  async currentStandard(): Promise<CurrentStandard> {
    return (await this.graphql.run('currentStandard', {})) as CurrentStandard;
  }

  /**
   * Registers a new key of this member, which from then on is as good as the one in use; that one holds for a time yet.
   * @returns the hub's name for the new key, and until when the others hold, ISO 8601
   */
  async rotateKey(next: MemberKey): Promise<{ kid: string; previousValidUntil: string }> {
    const { clientId, issuer, door } = this.session;
    const proof = await next.keyProof(clientId, issuer, door.time.now(), KEY_PROOF_SECONDS);
    const input = { jwk: JSON.stringify(next.publicJwk), proof };
    const answer = await this.graphql.run('rotateMemberKey', { input });
    return answer as { kid: string; previousValidUntil: string };
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
    const page = (await this.graphql.run('warningLists', { after, first }, { timeoutMs: 60_000 })) as {
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
    const call: Call = {
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
    };
    const answer = await this.session.call(call, 'ssf');
    if (answer.status !== 200) throw failed(this.session.door, answer);
    const body = answer.body as PollAnswer | null;
    if (typeof body?.sets !== 'object') throw badAnswer(this.session.door, answer, 'a poll without sets');
    return { sets: body.sets, moreAvailable: body.moreAvailable === true };
  }

  /** The hub's published signing keys. */
  async jwks(): Promise<JSONWebKeySet> {
    const answer = await this.session.door.call({ method: 'GET', path: '/.well-known/jwks.json' });
    if (answer.status !== 200) throw failed(this.session.door, answer);
    const body = answer.body as JSONWebKeySet | null;
    if (!Array.isArray(body?.keys)) throw badAnswer(this.session.door, answer, 'a key set without keys');
    return body;
  }

  /** Whether the hub answers at all; throws if not. */
  async live(): Promise<void> {
    const answer = await this.session.door.call({ method: 'GET', path: '/health/live', timeoutMs: 5_000 });
    if (answer.status !== 200) throw failed(this.session.door, answer);
  }

  async close(): Promise<void> {
    await this.session.close();
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
