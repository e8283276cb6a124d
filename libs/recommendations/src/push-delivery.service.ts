import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Tx } from '@app/infrastructure/database';
import { createLogger } from '@app/infrastructure/logging';
import { timed } from '@app/infrastructure/metrics';
import { Outgoing } from '@app/infrastructure/outgoing';
import { SigningKeys } from '@app/keys';
import { SET_TYPE, toEvent } from './domain/event.js';
import { judgePush, type PushAnswer } from './domain/push-answer.js';
import { HubIssuer } from './hub-issuer.js';
import { DELIVERIES, PUSH_SECONDS } from './delivery-metrics.js';
import { markAcknowledged, markDead, markFailed, pendingEvents, type PendingEvent } from './outbox.js';

const PRINCIPAL = { kind: 'job', name: 'deliver' } as const;
const WAVE = 64;
/** Events of different keys that are under way to one member at once. */
const AT_ONCE = 8;

interface Endpoint {
  member: string;
  url: string;
  authorization: string | null;
}

/** Pushes waiting events to members' endpoints (RFC 8935). */
@Injectable()
export class PushDelivery {
  private readonly logger = createLogger('deliver');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: SigningKeys,
    private readonly issuer: HubIssuer,
    private readonly outgoing: Outgoing,
    private readonly audit: AuditLog,
  ) {}

  /** Members that are pushed to and have events due. */
  membersDue(): Promise<number[]> {
    return this.database.transaction(PRINCIPAL, async (tx) => {
      const rows = await tx.query<{ member_id: number }[]>(
        `SELECT DISTINCT d.member_id FROM deliveries d JOIN members m ON m.id = d.member_id
         WHERE d.state = 'pending' AND d.next_attempt_at <= $1 AND m.delivery_method = 'push' AND m.state = 'active'`,
        [new Date(this.clock.now())],
      );
      return rows.map((row) => row.member_id);
    });
  }

  /**
   * Pushes what is due to one member, in order for each key, until nothing is left or the endpoint fails.
   * @param stopped asked between groups of events: true leaves the rest for later
   * @returns how many were acknowledged
   */
  async deliver(memberId: number, stopped: () => boolean = () => false): Promise<number> {
    let acknowledged = 0;
    while (!stopped()) {
      const { endpoint, events } = await this.due(memberId);
      if (!endpoint || events.length === 0) return acknowledged;
      for (const group of groupsOfDistinctKeys(events)) {
        const done = await Promise.all(group.map((event) => this.push(memberId, endpoint, event)));
        acknowledged += done.filter(Boolean).length;
        if (done.includes(false) || stopped()) return acknowledged;
      }
    }
    return acknowledged;
  }

  private due(memberId: number) {
    return this.database.transaction(PRINCIPAL, async (tx) => {
      const [endpoint] = await tx.query<Endpoint[]>(
        `SELECT m.name AS member, m.endpoint_url AS url, s.authorization_header AS authorization
         FROM members m LEFT JOIN member_endpoint_secrets s ON s.member_id = m.id
         WHERE m.id = $1 AND m.delivery_method = 'push' AND m.state = 'active' AND m.endpoint_url IS NOT NULL`,
        [memberId],
      );
      const events = endpoint ? await pendingEvents(tx, memberId, WAVE, new Date(this.clock.now())) : [];
      return { endpoint, events };
    });
  }

  /** @returns true acknowledged, null put aside, false to be tried again */
  private async push(memberId: number, endpoint: Endpoint, event: PendingEvent): Promise<boolean | null> {
    const { jti, attempts } = event;
    const answer = await timed(PUSH_SECONDS, () => this.send(endpoint, event));
    const verdict = judgePush(answer, attempts + 1, Math.random());
    const now = this.clock.now();
    await this.database.transaction(PRINCIPAL, async (tx) => {
      if (verdict.kind === 'acknowledged') return void (await markAcknowledged(tx, memberId, [jti], new Date(now)));
      if (verdict.kind === 'dead') return this.putAside(tx, memberId, jti, verdict.reason);
      return markFailed(tx, memberId, jti, verdict.reason, new Date(now + verdict.afterSeconds * 1000));
    });
    DELIVERIES.add({ member: endpoint.member, by: 'push', result: verdict.kind });
    const about = { member: endpoint.member, jti, txn: event.recommendation.id, attempt: attempts + 1 };
    if (verdict.kind === 'acknowledged') this.logger.info(about, 'an event was accepted');
    else this.logger.warn({ ...about, outcome: verdict.kind, reason: verdict.reason }, 'an event was not accepted');
    return verdict.kind === 'acknowledged' ? true : verdict.kind === 'dead' ? null : false;
  }

  private async putAside(tx: Tx, memberId: number, jti: string, reason: string): Promise<void> {
    if (!(await markDead(tx, memberId, jti, reason))) return;
    await this.audit.record(tx, {
      actor: principalName(PRINCIPAL),
      action: 'event.refused',
      subject: `event:${jti}`,
      before: { state: 'pending' },
      after: { state: 'dead' },
      detail: { reason },
    });
  }

  /** @throws {BongsuError} UNAVAILABLE when the event cannot be signed: no fault of the endpoint's */
  private async send(endpoint: Endpoint, { jti, recommendation }: PendingEvent): Promise<PushAnswer> {
    const claims = toEvent(recommendation, jti, this.issuer.url, endpoint.member, this.clock.now());
    const headers = {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      ...(endpoint.authorization ? { authorization: endpoint.authorization } : {}),
    };
    const answer = await this.outgoing.post(endpoint.url, headers, await this.keys.sign({ ...claims }, SET_TYPE));
    if ('failure' in answer) return answer;
    const { status, body } = answer;
    const retryAfter = Number(answer.headers['retry-after']);
    return {
      status,
      body,
      retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter >= 0 ? Math.min(retryAfter, 86_400) : null,
    };
  }
}

/** Splits a wave so that events of one key are never under way together. */
function groupsOfDistinctKeys(events: readonly PendingEvent[]): PendingEvent[][] {
  const groups: PendingEvent[][] = [];
  let keys = new Set<string>();
  for (const event of events) {
    const key = event.recommendation.keyToken.toString('hex');
    if (groups.length === 0 || keys.has(key) || groups.at(-1)!.length >= AT_ONCE) {
      groups.push([]);
      keys = new Set();
    }
    groups.at(-1)!.push(event);
    keys.add(key);
  }
  return groups;
}
