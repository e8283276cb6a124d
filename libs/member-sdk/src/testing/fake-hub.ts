import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  decodeColumns,
  documentIdOf,
  encodeToken,
  OPERATIONS,
  RECOMMENDATION_EVENT,
  signSet,
  toRows,
  type BatchRows,
  type OperationName,
  type RecommendationPayload,
  type Rung,
} from '@app/protocol';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import type { HubEpoch, HubWarningList } from '../hub-types.js';
import { FakeOAuth } from './fake-oauth.js';

/** One batch as the fake hub keeps it. */
export interface StoredBatch {
  sequence: number;
  batchId: string;
  rows: BatchRows;
}

/** An observation as the fake hub would fold it. */
export interface FoldedObservation {
  requests: number;
  orders: number;
  rejected: number;
  activeSlots: number;
  burstSlots: number;
  network: string;
  lists: readonly string[];
}

/** A warning list of the fake hub. */
export type FakeWarningList = HubWarningList & { cursor: number };

type Answer = { status: number; headers?: Record<string, string>; body?: unknown };
type Failure = Answer | 'hang up' | 'lose the answer';

/** A hub that keeps what it is sent, in memory, behind the real doors: for specs. */
export class FakeHub {
  readonly batches = new Map<string, StoredBatch>();
  /** Inputs of `eraseKey` and `eraseOwner`. */
  readonly erasures: { key?: string; owner?: string; reason: string }[] = [];
  readonly outcomes: { recommendationId: string; outcome: string; reason: string | null; at: string }[] = [];
  readonly events = new Map<string, string>();
  readonly acknowledged: string[] = [];
  readonly setErrs: Record<string, unknown>[] = [];
  /** What to do to the next submissions, first one first. */
  failures: Failure[] = [];
  /** No connection is answered while true. */
  away = false;
  /** In the order of their last change. */
  warningLists: FakeWarningList[] = [];
  epochs: HubEpoch[] = [{ number: 1, state: 'ACTIVE', publicKeys: [] }];
  submissions = 0;
  conflictOn: string | null = null;
  /** Whether documents are taken by their id: as the hub does, as one that has other documents, as one before them. */
  documents: 'known' | 'others' | 'none' = 'known';
  /** What to answer the next call of `rotateMemberKey` with; the key is registered, unless it is an answer. */
  rotation: 'answer' | 'lose the answer' | Answer = 'answer';
  /** Of every request: its id, what was asked (operation or path), and whether that came as a text. */
  readonly requests: { id: string; asked: string; text: boolean }[] = [];
  readonly oauth = new FakeOAuth(() => this.url);

  private constructor(
    private readonly server: Server,
    private readonly key: CryptoKey,
    private readonly jwk: JWK,
  ) {}

  static async start(): Promise<FakeHub> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
    const server = createServer();
    const hub = new FakeHub(server, privateKey, jwk);
    server.on('request', (request, response) => {
      void readText(request).then(async (text) => {
        const answer = hub.away ? 'hang up' : await hub.answer(request, text);
        if (answer === 'hang up') return request.socket.destroy();
        const date = new Date(hub.oauth.now()).toUTCString();
        response.writeHead(answer.status, { 'content-type': 'application/json', date, ...answer.headers });
        response.end(JSON.stringify(answer.body ?? null));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  /** Forgets the tokens given: callers must get new ones. */
  expireTokens(): void {
    this.oauth.forgetTokens();
  }

  get tokensGiven(): number {
    return this.oauth.given;
  }

  /** Signs a recommendation as the hub would send it. */
  async recommend(
    member: string,
    keyToken: Uint8Array,
    id: string,
    options: { rung?: Rung; jti?: string; issuer?: string; supersedes?: string; key?: CryptoKey; kid?: string } = {},
  ): Promise<string> {
    const payload: RecommendationPayload = {
      recommendation_id: id,
      rung: options.rung ?? 'warn',
      probability: 0.8,
      policy_version: '1.0.0',
      issued_at: '2026-06-02T00:00:00Z',
      deadline: '2026-06-09T00:00:00Z',
      supersedes: options.supersedes ?? null,
      reasons: [{ code: 'N1', nats: 2, text: { ko: '이유', en: 'reason' } }],
      explanation: { ko: '설명', en: 'explanation' },
      customer_notice: { ko: '안내', en: 'notice' },
      event_timestamp: 1780358400,
      initiating_entity: 'policy',
    };
    const claims = {
      iss: options.issuer ?? this.url,
      aud: `member:${member}`,
      jti: options.jti ?? `jti-${id}`,
      iat: 1780358400,
      txn: id,
      sub_id: { format: 'opaque' as const, id: encodeToken(keyToken) },
      events: { [RECOMMENDATION_EVENT]: payload },
    };
    return signSet(claims, options.key ?? this.key, options.kid ?? 'k1', 'ES256');
  }

  /** Observations as they stand after folding: of equal ones that of the highest sequence. */
  folded(): Map<string, FoldedObservation> {
    const folded = new Map<string, FoldedObservation>();
    const batches = [...this.batches.values()].sort((a, b) => a.sequence - b.sequence);
    for (const { rows } of batches)
      for (const o of rows.observations) {
        const id = [encodeToken(o.key), encodeToken(o.ip), encodeToken(o.client), o.hour].join(' ');
        const { requests, orders, rejected, activeSlots, burstSlots, network, lists } = o;
        folded.set(id, { requests, orders, rejected, activeSlots, burstSlots, network, lists });
      }
    return folded;
  }

  private async answer(request: IncomingMessage, text: string): Promise<Answer | 'hang up'> {
    const path = request.url ?? '';
    const note = (asked: string, asText = false) =>
      this.requests.push({ id: String(request.headers['x-request-id']), asked, text: asText });
    if (path !== '/graphql') note(path);
    switch (path) {
      case '/oauth/token':
        return this.oauth.token(request, text);
      case '/.well-known/jwks.json':
        return { status: 200, body: { keys: [this.jwk] } };
      case '/health/live':
        return { status: 200, body: {} };
      case '/ssf/poll':
        if (!(await this.oauth.admits(request, 'ssf'))) return { status: 401, body: {} };
        return { status: 200, body: this.poll(JSON.parse(text)) };
    }
    if (!(await this.oauth.admits(request, 'graphql'))) return { status: 401, body: {} };
    const body = JSON.parse(text) as { query?: string; documentId?: string; variables: { input: never } };
    const operation = this.operationOf(body);
    if (operation === null) {
      note('unknown document');
      const byId = body.documentId !== undefined && this.documents !== 'none';
      return refused(byId ? 'PERSISTED_QUERY_NOT_FOUND' : 'BAD_INPUT', 400);
    }
    note(operation, body.query !== undefined);
    return this.run(operation, body.variables);
  }

  private operationOf({ query, documentId: id }: { query?: string; documentId?: string }): OperationName | null {
    const names = Object.keys(OPERATIONS) as OperationName[];
    if (query !== undefined) return names.find((name) => OPERATIONS[name] === query) ?? null;
    if (this.documents !== 'known') return null;
    return names.find((name) => documentIdOf(OPERATIONS[name]) === id) ?? null;
  }

  private async run(operation: OperationName, variables: { input: never }): Promise<Answer | 'hang up'> {
    const { input } = variables;
    switch (operation) {
      case 'submitSignals':
        return this.submit(input);
      case 'lastSequence':
        return data({ lastSequence: this.lastSequence });
      case 'eraseKey':
      case 'eraseOwner':
        return this.erase(operation, input);
      case 'epochs':
        return data({ epochs: this.epochs });
      case 'reenroll':
        return data({ reenroll: { accepted: 0, refused: [], pending: 0 } });
      case 'warningLists':
        return this.changedLists(variables as never);
      case 'reportOutcome':
        return this.outcome(input);
      case 'rotateMemberKey':
        return this.rotateKey(input);
      case 'currentStandard':
        return data({ currentStandard: { version: '1.0.0', effectiveFrom: '2026-05-28T00:00:00Z' } });
      default:
        return refused('NOT_FOUND');
    }
  }

  private async rotateKey({ jwk, proof }: { jwk: string; proof: string }): Promise<Answer | 'hang up'> {
    if (typeof this.rotation !== 'string') return this.rotation;
    const key = JSON.parse(jwk) as JWK;
    const { iss } = JSON.parse(Buffer.from(proof.split('.')[1]!, 'base64url').toString()) as { iss: string };
    if (!(await this.oauth.verifies(proof, iss, 'bongsu-key-proof+jwt', [key]))) return refused('BAD_INPUT');
    this.oauth.registered = [key, ...(this.oauth.registered ?? [])];
    if (this.rotation === 'lose the answer') return 'hang up';
    const previousValidUntil = new Date(this.oauth.now() + 7 * 86_400_000).toISOString();
    return data({ rotateMemberKey: { kid: await calculateJwkThumbprint(key), previousValidUntil } });
  }

  private get lastSequence(): number {
    return Math.max(0, ...[...this.batches.values()].map((b) => b.sequence));
  }

  private submit(input: { batchId: string; sequence: number; compact: string }): Answer | 'hang up' {
    this.submissions++;
    const failure = this.failures.shift();
    if (failure === 'hang up') return 'hang up';
    if (failure !== undefined && failure !== 'lose the answer') return failure;
    const known = this.batches.get(input.batchId);
    const taken = [...this.batches.values()].some((b) => b.sequence === input.sequence && b.batchId !== input.batchId);
    if (taken || (known && known.sequence !== input.sequence)) return refused('BATCH_CONFLICT');
    const rows = known?.rows ?? toRows(decodeColumns(Buffer.from(input.compact, 'base64')));
    this.batches.set(input.batchId, { batchId: input.batchId, sequence: input.sequence, rows });
    if (failure === 'lose the answer') return 'hang up';
    const accepted = rows.observations.length + rows.allowEntries.length + rows.keyFacts.length;
    const receipt = {
      batchId: input.batchId, sequence: input.sequence, receivedAt: '2026-06-02T00:00:00Z', accepted, rejected: 0,
      rejections: [], state: 'STORED', foldedAt: null, notes: [],
    }; // prettier-ignore
    return data({ submitSignals: receipt });
  }

  /** Does at once what the hub does in its own time. */
  private erase(field: 'eraseKey' | 'eraseOwner', input: { key?: string; owner?: string; reason: string }): Answer {
    this.erasures.push(input);
    return data({ [field]: { id: `erasure-${this.erasures.length}`, state: 'REQUESTED' } });
  }

  private outcome(input: { recommendationId: string; outcome: string; reason: string | null; at: string }) {
    if (this.conflictOn === input.recommendationId) return refused('OUTCOME_CONFLICT');
    this.outcomes.push(input);
    return data({ reportOutcome: { id: input.recommendationId } });
  }

  /** Publishes a list, or ends it where it has no entries. */
  putWarningList(name: string, entries: string[], change: Partial<HubWarningList> = {}): void {
    const before = this.warningLists.find((l) => l.name === name);
    const cursor = Math.max(0, ...this.warningLists.map((l) => l.cursor)) + 1;
    this.warningLists = this.warningLists.filter((l) => l.name !== name);
    this.warningLists.push({
      name, version: (before?.version ?? 0) + 1, cursor, source: 'a publisher', description: '', entries,
      expiresAt: '2027-01-01T00:00:00.000Z', updatedAt: '2026-06-01T00:00:00.000Z',
      endedAt: entries.length === 0 ? '2026-06-01T00:00:00.000Z' : null, ...change,
    }); // prettier-ignore
  }

  private changedLists({ after, first }: { after: string | null; first: number }) {
    const from = Number(after ?? 0);
    if (from > Math.max(0, ...this.warningLists.map((l) => l.cursor))) return refused('BAD_INPUT');
    const found = this.warningLists.filter((l) => l.cursor > from);
    const edges = found.slice(0, first).map(({ cursor, ...node }) => ({ cursor: String(cursor), node }));
    const pageInfo = { hasNextPage: found.length > first, endCursor: edges.at(-1)?.cursor ?? null };
    return data({ warningLists: { edges, pageInfo } });
  }

  private poll(body: { ack?: string[]; setErrs?: Record<string, unknown> }) {
    for (const jti of body.ack ?? []) {
      this.acknowledged.push(jti);
      this.events.delete(jti);
    }
    if (body.setErrs) {
      this.setErrs.push(body.setErrs);
      for (const jti of Object.keys(body.setErrs)) this.events.delete(jti);
    }
    return { sets: Object.fromEntries(this.events), moreAvailable: false };
  }
}

function data(body: unknown) {
  return { status: 200, body: { data: body } };
}

function refused(code: string, status = 200): Answer {
  return { status, body: { data: null, errors: [{ message: `refused: ${code}`, extensions: { code } }] } };
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
