import { MODE, SUITE } from '@app/blinding';
import { BongsuError } from '@app/protocol';
import type { Clock } from '@app/infrastructure/clock';
import type { Logger } from '@app/infrastructure/logging';
import { timed } from '@app/infrastructure/metrics';
import type { AuditCode, AuditLog } from './audit-log.js';
import { authenticate, claimedName } from './authenticate.js';
import { ELEMENTS, EVALUATE_SECONDS, REFUSALS } from './blinder-metrics.js';
import { encodeBytes, parseEvaluateRequest } from './elements.js';
import type { EpochKeys } from './epoch-keys.js';
import type { Evaluator } from './evaluator.js';
import type { ReenrolJournal } from './reenrol-journal.js';
import type { Caller } from './roster.js';
import { secondsToNextDay, type UsageJournal, type UsageLine } from './usage-journal.js';

/** What the door works with. */
export interface DoorParts {
  readonly keys: EpochKeys;
  readonly audience: string;
  /** Elements a day for members without a quota of their own. */
  readonly dailyQuota: number;
  readonly callers: { find(name: string): Caller | undefined };
  readonly usage: UsageJournal;
  readonly reenrolments: ReenrolJournal;
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

/** Part of the day's quota from which on a jump is told, and how many times the usual day a jump is. */
const NEAR_QUOTA = 0.8;
const JUMP = 3;

/** The blinder's door: which requests there are and what each answers. It never throws. */
export class Door {
  /** By path, where `N` stands for a number, and method. */
  private readonly routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    '/health': { GET: () => ({ status: 200, body: { status: 'ok' } }) },
    '/v1/epochs': { GET: () => this.epochs(), POST: (request) => this.prepare(request) },
    '/v1/epochs/N': { DELETE: (request) => this.destroy(request) },
    '/v1/epochs/N/activate': { POST: (request) => this.activate(request) },
    '/v1/evaluate': { POST: (request) => this.evaluate(request) },
    '/v1/audit': { GET: (request) => this.readAudit(request) },
  };
  private alarmed = new Set<string>();

  constructor(private readonly parts: DoorParts) {}

  async answer(request: DoorRequest): Promise<DoorAnswer> {
    try {
      const path = request.url.pathname.replace(/\/[1-9]\d{0,8}(?=\/|$)/, '/N');
      const route = Object.hasOwn(this.routes, path) ? this.routes[path]! : undefined;
      if (route === undefined) throw new BongsuError('NOT_FOUND', 'There is no such path here.');
      const handle = Object.hasOwn(route, request.method) ? route[request.method] : undefined;
      if (handle !== undefined) return await handle(request);
      const allow = Object.keys(route).join(', ');
      return {
        ...refusal(new BongsuError('BAD_INPUT', `Only ${allow} is answered here.`), this.parts.clock.now()),
        status: 405,
        headers: { allow },
      };
    } catch (error) {
      REFUSALS.add({ code: error instanceof BongsuError ? error.code : 'INTERNAL' });
      if (error instanceof BongsuError) return refusal(error, this.parts.clock.now());
      this.parts.log.error({ err: error }, 'request failed');
      return refusal(new BongsuError('INTERNAL', 'The blinder failed; try again later.'), this.parts.clock.now());
    }
  }

  private epochs(): DoorAnswer {
    const epochs = this.parts.keys.list().map((one) => ({ ...one, suite: SUITE, mode: MODE }));
    return { status: 200, body: { epochs } };
  }

  /** Staff: makes the next epoch's key here; nobody hands one in. */
  private async prepare(request: DoorRequest): Promise<DoorAnswer> {
    const { caller } = await this.admit(request, 'staff');
    const { epoch, made } = this.parts.keys.prepare();
    if (made) this.note(caller.name, 'EPOCH_PREPARED', `The key of epoch ${epoch.epoch} was made: ${epoch.publicKey}.`);
    return { status: made ? 201 : 200, body: epoch };
  }

  private async activate(request: DoorRequest): Promise<DoorAnswer> {
    const { caller } = await this.admit(request, 'staff');
    const epoch = numberIn(request.url);
    if (this.parts.keys.activate(epoch)) this.note(caller.name, 'EPOCH_ACTIVATED', `Epoch ${epoch} is the active one.`);
    return { status: 200, body: this.parts.keys.list().find((one) => one.epoch === epoch)! };
  }

  /** Staff: destroys a key. The answer is what they enter at the hub. */
  private async destroy(request: DoorRequest): Promise<DoorAnswer> {
    const { caller } = await this.admit(request, 'staff');
    const { keys, audit, clock } = this.parts;
    const epoch = numberIn(request.url);
    const { destroyed, now } = await keys.destroy(epoch, caller.name, new Date(clock.now()));
    const message = `The key of epoch ${epoch}, ${destroyed.publicKey}, was destroyed.`;
    if (now) this.note(caller.name, 'EPOCH_DESTROYED', message);
    const entry = audit.find((one) => one.code === 'EPOCH_DESTROYED' && one.message === message);
    return { status: 200, body: { destroyed: { ...destroyed, auditSeq: entry?.seq ?? 0 } } };
  }

  private async evaluate(request: DoorRequest): Promise<DoorAnswer> {
    const { caller, jti, expiresAt } = await this.admit(request, 'member');
    let elements: number | undefined;
    try {
      const asked = parseEvaluateRequest(await request.body());
      elements = asked.elements.length;
      const evaluator = this.parts.keys.evaluatorOf(asked.epoch);
      const use = { member: caller.name, elements, jti, expiresAt };
      const giveBack = this.charge(caller, asked.epoch, use);
      const { evaluated, proof } = await timed(EVALUATE_SECONDS, () =>
        this.evaluateCharged(evaluator, asked.elements, giveBack),
      );
      ELEMENTS.add({ member: caller.name, result: 'evaluated' }, elements);
      return {
        status: 200,
        body: { epoch: asked.epoch, elements: evaluated.map(encodeBytes), proof: encodeBytes(proof) },
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
  private async evaluateCharged(evaluator: Evaluator, blinded: Uint8Array[], giveBack: () => void) {
    try {
      return await evaluator.evaluate(blinded);
    } catch (error) {
      if (!(error instanceof BongsuError && error.code === 'BAD_INPUT')) this.journal(giveBack);
      throw error;
    }
  }

  /** @returns what takes the charge back @throws {BongsuError} QUOTA_EXCEEDED, UNAVAILABLE */
  private charge(caller: Caller, epoch: number, use: UsageLine): () => void {
    const { usage, reenrolments, keys, clock } = this.parts;
    const now = clock.now();
    const quota = this.quotaOf(caller);
    if (keys.isAnnounced(epoch)) {
      const { taken, used, allowance } = this.journal(() => {
        const allowance = reenrolments.allowance(caller.name, quota);
        return { ...reenrolments.charge(epoch, use, allowance), allowance };
      });
      if (!taken) this.refuse(caller, use.elements, used, allowance, `re-enrolment for epoch ${epoch}`);
      return () => reenrolments.giveBack(epoch, use);
    }
    const { taken, used } = this.journal(() => usage.charge(use, quota, now));
    if (!taken) this.refuse(caller, use.elements, used, quota, 'day');
    this.warnEarly(caller, used, quota, now);
    return () => usage.giveBack(use, now);
  }

  private refuse(caller: Caller, elements: number, used: number, quota: number, of: string): never {
    const message = `${elements} elements exceed what is left of the ${of}'s ${quota}: ${Math.max(0, quota - used)}.`;
    const refusedNow = new BongsuError('QUOTA_EXCEEDED', message, 'elements');
    if (this.firstToday(caller, of)) {
      const { log } = this.parts;
      log.warn({ alarm: 'enumeration', member: caller.name, used, quota, asked: elements }, 'member hit its quota');
      this.record('alarm', refusedNow, caller.name, true, elements);
    }
    throw refusedNow;
  }

  /** Most of the day's quota, and far more than on the days before: told before the quota is hit. */
  private warnEarly(caller: Caller, used: number, quota: number, now: number): void {
    if (used < NEAR_QUOTA * quota) return;
    const usual = this.parts.usage.dailyBefore(caller.name, now);
    if (used < JUMP * usual || !this.firstToday(caller, 'near')) return;
    this.parts.log.warn({ alarm: 'jump', member: caller.name, used, quota, usual }, 'member comes near its quota');
    const message = `${used} of the day's ${quota} elements, ${Math.round(usual)} a day in the week before.`;
    this.record('alarm', { code: 'QUOTA_NEAR', message }, caller.name, true);
  }

  private firstToday(caller: Caller, of: string): boolean {
    const once = `${caller.name} ${of} ${new Date(this.parts.clock.now()).toISOString().slice(0, 10)}`;
    if (this.alarmed.has(once)) return false;
    if (this.alarmed.size > 1000) this.alarmed.clear();
    this.alarmed.add(once);
    return true;
  }

  /** What staff did. @throws {BongsuError} UNAVAILABLE where it cannot be written */
  private note(caller: string, code: AuditCode, message: string): void {
    const { audit, clock, log } = this.parts;
    log.warn({ caller, code }, message);
    this.journal(() => audit.write({ kind: 'done', code, caller, verified: true, message }, clock.now()));
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
    error: { code: AuditCode; message: string },
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

function numberIn(url: URL): number {
  return Number(/\/(\d+)/.exec(url.pathname.slice('/v1/epochs'.length))?.[1]);
}

function count(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value <= max)) throw new BongsuError('BAD_INPUT', `"${name}" must be a whole number up to ${max}.`, name);
  return value;
}
