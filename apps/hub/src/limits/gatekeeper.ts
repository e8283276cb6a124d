import { createHash } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { addressKey, type Caller } from '@app/identity';
import type { Database } from '@app/infrastructure/database';
import { workContext } from '@app/infrastructure/logging';
import { BongsuError } from '@app/protocol';
import type { AuthedRequest } from '../auth/allow.decorator.js';
import type { HubLimits } from './limits.js';
import { RateLimited } from './rate-limited.js';
import { SharedRate } from './shared-rate.js';
import { Turns } from './turns.js';

/** How long a token that was verified is remembered, ms: its whole life. */
const TOKEN_MEMORY_MS = 600_000;
const MOST_TOKENS = 20_000;

/**
 * Lets requests in at a pace. A caller that this process has verified before is counted by name before its body is read
 * or any signature looked at; everybody else, whatever its headers hold, and every request for a token, by address.
 * Nobody is let in by this alone: the token is still verified.
 */
export class Gatekeeper {
  private readonly callers: SharedRate;
  private readonly addresses: SharedRate;
  private readonly turns: Turns;
  /** Who a token belongs to, by the digest of its header, as verified last. */
  private readonly known = new Map<string, { caller: string; until: number }>();
  /** Requests whose token was verified, or refused and counted. */
  private readonly judged = new WeakSet<object>();
  /** Counts that are under way, by address. */
  private readonly counting = new Map<string, Promise<unknown>>();

  constructor(
    database: Database,
    limits: HubLimits,
    private readonly membersTrustedDocumentsOnly: boolean,
  ) {
    this.callers = new SharedRate(database, 'caller', limits.requestsPerMinute);
    this.addresses = new SharedRate(database, 'address', limits.anonymousPerMinute);
    this.turns = new Turns(limits.atOnce, limits.waiting);
  }

  /** In front of everything: refuses what is too much with 429 (RFC 6585, section 4) and Retry-After. */
  readonly before = (request: Request, response: Response, next: NextFunction): void => {
    // Whoever watches the hub is not to take a flood for its death.
    if (request.path.startsWith('/health/')) return next();
    this.pace(request, response).then(
      () => response.destroyed || next(),
      (error: unknown) => (error instanceof RateLimited ? refuse(request, response, error) : next(error)),
    );
  };

  /**
   * Verifies a caller, once a request.
   * @throws {RateLimited} when the caller has used up its minute
   * @throws {BongsuError} FORBIDDEN for a document that members may not send here; and what `verify` throws
   */
  async admit(request: AuthedRequest, isGraphql: boolean, verify: () => Promise<Caller>): Promise<Caller> {
    const digest = digestOf(request.headers['authorization']);
    const counted = digest === null ? undefined : this.known.get(digest)?.caller;
    const caller = await verify().catch(async (error: unknown) => {
      if (error instanceof BongsuError && error.code === 'UNAUTHENTICATED' && digest !== null) {
        this.known.delete(digest);
        this.judged.add(request);
        await this.addresses.spend(addressKey(workContext()?.from));
      }
      throw error;
    });
    this.judged.add(request);
    if (digest !== null && counted !== caller.clientId) {
      this.remember(digest, caller.clientId);
      const wait = await this.callers.spend(caller.clientId);
      if (wait > 0) throw new RateLimited(wait);
    }
    if (isGraphql && this.membersTrustedDocumentsOnly && caller.principal.kind === 'member' && !request.trustedDocument)
      throw new BongsuError('FORBIDDEN', 'This hub takes from members only the documents that it knows by their id.');
    return caller;
  }

  private async pace(request: Request, response: Response): Promise<void> {
    const digest = digestOf(request.headers.authorization);
    const caller = digest === null ? undefined : this.callerOf(digest);
    const address = addressKey(request.ip);
    let wait: number;
    if (digest === null || isTokenPath(request.path)) wait = await this.addresses.spend(address);
    else if (caller === undefined) {
      await this.counting.get(address);
      wait = this.addresses.blockedFor(address);
      if (wait === 0) this.countUnjudged(request, response, address);
    } else wait = await this.callers.spend(caller);
    if (wait > 0) throw new RateLimited(wait);
    if (caller !== undefined && isGraphqlPath(request.path)) await this.takeTurn(caller, response);
  }

  /**
   * A header that nobody has looked at when the answer is out counts like none: not every door verifies it. The first
   * requests under a new token are verified, and cost their address nothing.
   */
  private countUnjudged(request: Request, response: Response, address: string): void {
    response.once('close', () => {
      if (this.judged.has(request)) return;
      const count = this.addresses
        .spend(address)
        .catch(() => undefined)
        .finally(() => this.counting.get(address) === count && this.counting.delete(address));
      this.counting.set(address, count);
    });
  }

  private async takeTurn(caller: string, response: Response): Promise<void> {
    if (!(await this.turns.enter(caller))) throw new RateLimited(1000);
    const leave = () => this.turns.leave(caller);
    // It may have hung up while it waited.
    if (response.destroyed) leave();
    else response.once('close', leave);
  }

  private callerOf(digest: string): string | undefined {
    const found = this.known.get(digest);
    if (found && found.until > Date.now()) return found.caller;
    this.known.delete(digest);
    return undefined;
  }

  private remember(digest: string, caller: string): void {
    const [oldest] = this.known.keys();
    if (this.known.size >= MOST_TOKENS && oldest !== undefined) this.known.delete(oldest);
    this.known.set(digest, { caller, until: Date.now() + TOKEN_MEMORY_MS });
  }
}

/** Whether a path is the API's, as Express would route it. */
export function isGraphqlPath(path: string | undefined): boolean {
  return /^\/graphql\/?([/?]|$)/i.test(path ?? '');
}

/** Whether a path is the token endpoint's, as Express would route it. */
function isTokenPath(path: string): boolean {
  return /^\/oauth\/token\/?$/i.test(path);
}

function digestOf(header: string | string[] | undefined): string | null {
  return typeof header === 'string' ? createHash('sha256').update(header).digest('base64') : null;
}

function refuse(request: Request, response: Response, { code, message, retryAfter }: RateLimited): void {
  response.status(429).set('Retry-After', String(retryAfter));
  if (isGraphqlPath(request.path)) response.json({ errors: [{ message, extensions: { code } }] });
  // RFC 6749 has no code for it; this one says that it is not the client's credentials.
  else if (isTokenPath(request.path))
    response.json({ error: 'temporarily_unavailable', error_description: message, code });
  else response.json({ code, message });
}
