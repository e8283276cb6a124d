import { MODE, SUITE } from '@app/blinding';
import { BongsuError } from '@app/protocol';
import type { Clock } from '@app/infrastructure/clock';
import type { Logger } from '@app/infrastructure/logging';
import { timed } from '@app/infrastructure/metrics';
import type { AuditLog } from './audit-log.js';
import { authenticate, claimedName } from './authenticate.js';
import { ELEMENTS, EVALUATE_SECONDS, REFUSALS } from './blinder-metrics.js';
import { encodeBytes, parseEvaluateRequest } from './elements.js';
import type { Evaluator } from './evaluator.js';
import type { Caller } from './roster.js';
import { secondsToNextDay, type UsageJournal, type UsageLine } from './usage-journal.js';

/** What the door works with. */
export interface DoorParts {
  readonly epoch: number;
  /** 32 bytes: published, and pinned by members. */
  readonly publicKey: Uint8Array;
  readonly audience: string;
  /** Elements a day for members without a quota of their own. */
  readonly dailyQuota: number;
  readonly callers: { find(name: string): Caller | undefined };
  readonly evaluator: Evaluator;
  readonly usage: UsageJournal;
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** What tokens are held against: the system's time, also where `clock` is simulated. */
  readonly wallTime: Clock;
  readonly log: Logger;
}

/** A request, its body not yet read. */
export interface DoorRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  /** Reads the body. @throws {BongsuError} BATCH_TOO_LARGE or BAD_INPUT */
  readonly body: () => Promise<string>;
}

/** An answer: JSON, with a refusal's code where it is one. */
export interface DoorAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

type Handler = (request: DoorRequest) => DoorAnswer | Promise<DoorAnswer>;

const AUDIT_PAGE = 1000;

/** The blinder's door: which requests there are and what each answers. It never throws. */
export class Door {
  private readonly routes: Readonly<Record<string, { readonly method: string; readonly handle: Handler }>> = {
    '/health': { method: 'GET', handle: () => ({ status: 200, body: { status: 'ok' } }) },
    '/v1/epochs': { method: 'GET', handle: () => this.epochs() },
    '/v1/evaluate': { method: 'POST', handle: (request) => this.evaluate(request) },
    '/v1/audit': { method: 'GET', handle: (request) => this.readAudit(request) },
  };
  private alarmed = new Set<string>();

  constructor(private readonly parts: DoorParts) {}

  async answer(request: DoorRequest): Promise<DoorAnswer> {
    try {
      const route = Object.hasOwn(this.routes, request.url.pathname) ? this.routes[request.url.pathname] : undefined;
      if (route === undefined) throw new BongsuError('NOT_FOUND', 'There is no such path here.');
      if (route.method !== request.method)
        return {
          ...refusal(new BongsuError('BAD_INPUT', `Only ${route.method} is answered here.`), this.parts.clock.now()),
          status: 405,
          headers: { allow: route.method },
        };
      return await route.handle(request);
    } catch (error) {
      REFUSALS.add({ code: error instanceof BongsuError ? error.code : 'INTERNAL' });
      if (error instanceof BongsuError) return refusal(error, this.parts.clock.now());
      this.parts.log.error({ err: error }, 'request failed');
      return refusal(new BongsuError('INTERNAL', 'The blinder failed; try again later.'), this.parts.clock.now());
    }
  }

  private epochs(): DoorAnswer {
    const { epoch, publicKey } = this.parts;
    const active = { epoch, suite: SUITE, mode: MODE, publicKey: encodeBytes(publicKey), state: 'active' };
    return { status: 200, body: { epochs: [active] } };
  }

  private async evaluate(request: DoorRequest): Promise<DoorAnswer> {
    const { caller, jti, expiresAt } = await this.admit(request, 'member');
    let elements: number | undefined;
    try {
      const asked = parseEvaluateRequest(await request.body());
      elements = asked.elements.length;
      if (asked.epoch !== this.parts.epoch)
        throw new BongsuError('EPOCH_UNKNOWN', `Epoch ${asked.epoch} is not held here; see /v1/epochs.`, 'epoch');
      const use = { member: caller.name, elements, jti, expiresAt };
      const chargedAt = this.parts.clock.now();
      this.charge(caller, use, chargedAt);
      const { evaluated, proof } = await timed(EVALUATE_SECONDS, () =>
        this.evaluateCharged(asked.elements, use, chargedAt),
      );
      ELEMENTS.add({ member: caller.name, result: 'evaluated' }, elements);
      return {
        status: 200,
        body: { epoch: this.parts.epoch, elements: evaluated.map(encodeBytes), proof: encodeBytes(proof) },
      };
    } catch (error) {
      if (error instanceof BongsuError) {
        this.record('refused', error, caller.name, true, elements);
        ELEMENTS.add({ member: caller.name, result: error.code }, elements ?? 0);
      }
      throw error;
    }
  }

  /** What each member has used of the UTC day, and may. */
  usageOn(now: number): { member: string; used: number; quota: number }[] {
    return [...this.parts.usage.usedOn(now)].map(([member, used]) => ({
      member,
      used,
      quota: this.quotaOf(this.parts.callers.find(member)),
    }));
  }

  private async readAudit(request: DoorRequest): Promise<DoorAnswer> {
    await this.admit(request, 'staff');
    const now = this.parts.clock.now();
    const after = count(request.url.searchParams, 'after', 0, Number.MAX_SAFE_INTEGER);
    const limit = count(request.url.searchParams, 'limit', 100, AUDIT_PAGE);
    const entries = this.parts.audit.after(after, limit);
    const usage = this.usageOn(now);
    const day = new Date(now).toISOString().slice(0, 10);
    return { status: 200, body: { day, usage, entries, next: entries.at(-1)?.seq ?? after } };
  }

  /** Who calls, with a token not used before. @throws {BongsuError} UNAUTHENTICATED, FORBIDDEN; both are on the audit */
  private async admit(request: DoorRequest, role: Caller['role']) {
    const { audience, callers, wallTime, usage } = this.parts;
    let known: string | undefined;
    try {
      const found = await authenticate(request.authorization, (name) => callers.find(name), wallTime, audience);
      known = found.caller.name;
      if (!usage.takeToken(known, found.jti, found.expiresAt, wallTime.now()))
        throw new BongsuError('UNAUTHENTICATED', 'The token was used before: each request needs one of its own.');
      if (found.caller.role !== role) throw new BongsuError('FORBIDDEN', `Only ${role} may ask this.`);
      return found;
    } catch (error) {
      if (!(error instanceof BongsuError)) throw error;
      this.record('refused', error, known ?? claimedName(request.authorization), known !== undefined);
      if (error.code !== 'UNAUTHENTICATED') throw error;
      // The audit knows what was wrong; who asks is not helped to find out, nor who else is on the list.
      throw new BongsuError('UNAUTHENTICATED', 'A valid token is needed.');
    }
  }

  /** A member pays for what it sends, good or not; what the blinder itself could not do is given back. */
  private async evaluateCharged(blinded: Uint8Array[], use: UsageLine, chargedAt: number) {
    try {
      return await this.parts.evaluator.evaluate(blinded);
    } catch (error) {
      if (!(error instanceof BongsuError && error.code === 'BAD_INPUT'))
        this.journal(() => this.parts.usage.giveBack(use, chargedAt));
      throw error;
    }
  }

  private charge(caller: Caller, use: UsageLine, now: number): void {
    const { log, usage } = this.parts;
    const { elements } = use;
    const quota = this.quotaOf(caller);
    const { taken, used } = this.journal(() => usage.charge(use, quota, now));
    if (taken) return;
    const message = `${elements} elements exceed what is left of the day's ${quota}: ${Math.max(0, quota - used)}.`;
    const refusedNow = new BongsuError('QUOTA_EXCEEDED', message, 'elements');
    const once = `${caller.name} ${new Date(now).toISOString().slice(0, 10)}`;
    if (!this.alarmed.has(once)) {
      if (this.alarmed.size > 1000) this.alarmed.clear();
      this.alarmed.add(once);
      log.warn({ alarm: 'enumeration', member: caller.name, used, quota, asked: elements }, 'member hit its quota');
      this.record('alarm', refusedNow, caller.name, true, elements);
    }
    throw refusedNow;
  }

  private journal<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      // What cannot be counted is not evaluated: a full disk must not lift the quota.
      this.parts.log.error({ err: error }, 'usage cannot be written');
      throw new BongsuError('UNAVAILABLE', 'The blinder cannot keep its counts; try again later.');
    }
  }

  private quotaOf(caller: Caller | undefined): number {
    return caller?.dailyQuota ?? this.parts.dailyQuota;
  }

  private record(
    kind: 'refused' | 'alarm',
    error: BongsuError,
    caller: string | undefined,
    verified: boolean,
    elements?: number,
  ): void {
    const { audit, clock, log } = this.parts;
    const { code, message } = error;
    try {
      const event = { kind, code, caller: caller ?? null, verified, message };
      audit.write(elements === undefined ? event : { ...event, elements }, clock.now());
    } catch (failure) {
      log.error({ err: failure, kind, code, caller }, 'audit cannot be written');
    }
  }
}

const STATUS: Partial<Record<BongsuError['code'], number>> = {
  BAD_INPUT: 400,
  EPOCH_UNKNOWN: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BATCH_TOO_LARGE: 413,
  QUOTA_EXCEEDED: 429,
  UNAVAILABLE: 503,
};

const UNAVAILABLE_RETRY_SECONDS = 5;

function refusal({ code, message, where }: BongsuError, now: number): DoorAnswer {
  return {
    status: STATUS[code] ?? 500,
    body: { code, message, ...(where === undefined ? {} : { where }) },
    headers: {
      ...(code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer' } : {}),
      ...(code === 'QUOTA_EXCEEDED' ? { 'retry-after': String(secondsToNextDay(now)) } : {}),
      ...(code === 'UNAVAILABLE' ? { 'retry-after': String(UNAVAILABLE_RETRY_SECONDS) } : {}),
    },
  };
}

function count(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value <= max)) throw new BongsuError('BAD_INPUT', `"${name}" must be a whole number up to ${max}.`, name);
  return value;
}
