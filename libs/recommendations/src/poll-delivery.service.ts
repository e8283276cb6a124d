import { Injectable } from '@nestjs/common';
import { AuditLog, Refusals } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Principal } from '@app/infrastructure/database';
import { createLogger } from '@app/infrastructure/logging';
import { SigningKeys } from '@app/keys';
import { DELIVERIES } from './delivery-metrics.js';
import { SET_TYPE, toEvent } from './domain/event.js';
import { HubIssuer } from './hub-issuer.js';
import { markAcknowledged, markDead, markDelivered, pendingEvents, unknownEvents } from './outbox.js';

type Member = Extract<Principal, { kind: 'member' }>;

/** RFC 8936, section 2.2. */
export interface PollRequest {
  maxEvents: number;
  returnImmediately: boolean;
  ack: readonly string[];
  setErrs: Readonly<Record<string, { err: string; description?: string }>>;
}

export interface PollAnswer {
  sets: Record<string, string>;
  moreAvailable: boolean;
}

/** A long poll is answered after this long at the latest, and looks for events this often; real ms. */
const LONGEST_POLL_MS = 20_000;
const LOOK_EVERY_MS = 250;

/** Long polls of one member that one process holds open; each looks at the database again and again. */
const MOST_LONG_POLLS = 4;

/** Hands waiting events over to members that poll (RFC 8936). */
@Injectable()
export class PollDelivery {
  private readonly logger = createLogger('poll');
  private stopping = false;
  /** Long polls that are open, by member. */
  private readonly open = new Map<number, number>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: SigningKeys,
    private readonly issuer: HubIssuer,
    private readonly audit: AuditLog,
    private readonly refusals: Refusals,
  ) {}

  /** Answers every long poll that is open, at its next look, and all later ones at once: the hub is stopping. */
  stop(): void {
    this.stopping = true;
  }

  /**
   * Takes acknowledgements and refusals in, then answers with waiting events. A long poll waits for the first one, unless
   * the member holds {@link MOST_LONG_POLLS} open already: then it is answered at once, so that nobody's waiting slows
   * others.
   * @param gone says that the caller has hung up
   */
  async poll(member: Member, request: PollRequest, gone: () => boolean): Promise<PollAnswer> {
    await this.settle(member, request);
    const open = this.open.get(member.memberId) ?? 0;
    if (request.returnImmediately || open >= MOST_LONG_POLLS) return this.collect(member, request.maxEvents);
    this.open.set(member.memberId, open + 1);
    try {
      return await this.longPoll(member, request.maxEvents, gone);
    } finally {
      const left = this.open.get(member.memberId)! - 1;
      if (left > 0) this.open.set(member.memberId, left);
      else this.open.delete(member.memberId);
    }
  }

  private async longPoll(member: Member, maxEvents: number, gone: () => boolean): Promise<PollAnswer> {
    const until = performance.now() + LONGEST_POLL_MS;
    for (;;) {
      const answer = await this.collect(member, maxEvents);
      const waiting = Object.keys(answer.sets).length === 0 && !(maxEvents === 0 && answer.moreAvailable);
      if (!waiting || gone() || this.stopping || performance.now() >= until) return answer;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  private async settle(member: Member, { ack, setErrs }: PollRequest): Promise<void> {
    const refused = Object.entries(setErrs);
    if (ack.length === 0 && refused.length === 0) return;
    const unknown = await this.database.transaction(member, async (tx) => {
      const acknowledged = await markAcknowledged(tx, member.memberId, ack, new Date(this.clock.now()));
      DELIVERIES.add({ member: member.name, by: 'poll', result: 'acknowledged' }, acknowledged);
      for (const [jti, { err, description }] of refused) {
        const reason = `the receiver refused it: ${err.slice(0, 60)} ${(description ?? '').slice(0, 200)}`.trim();
        if (!(await markDead(tx, member.memberId, jti, reason))) continue;
        DELIVERIES.add({ member: member.name, by: 'poll', result: 'dead' });
        await this.audit.record(tx, {
          actor: principalName(member),
          action: 'event.refused',
          subject: `event:${jti}`,
          before: { state: 'pending' },
          after: { state: 'dead' },
          detail: { reason },
        });
      }
      return unknownEvents(tx, [...ack, ...Object.keys(setErrs)]);
    });
    for (const jti of unknown) await this.refusals.missed(member, 'event', jti, 'poll');
  }

  private async collect(member: Member, most: number): Promise<PollAnswer> {
    const events = await this.database.transaction(member, async (tx) => {
      const waiting = await pendingEvents(tx, member.memberId, most + 1);
      const handed = waiting.slice(0, most).map((event) => event.jti);
      await markDelivered(tx, member.memberId, handed, new Date(this.clock.now()));
      return waiting;
    });
    const txns = events.slice(0, most).map(({ recommendation }) => recommendation.id);
    if (txns.length > 0) {
      DELIVERIES.add({ member: member.name, by: 'poll', result: 'handed_over' }, txns.length);
      this.logger.info({ member: member.name, txns }, 'events were handed over');
    }
    const sets: Record<string, string> = {};
    for (const { jti, recommendation } of events.slice(0, most)) {
      const claims = toEvent(recommendation, jti, this.issuer.url, member.name, this.clock.now());
      sets[jti] = await this.keys.sign({ ...claims }, SET_TYPE);
    }
    return { sets, moreAvailable: events.length > most };
  }
}
