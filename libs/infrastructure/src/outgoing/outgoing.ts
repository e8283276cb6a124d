import { Agent, buildConnector, request } from 'undici';
import { checkEndpoint, namesLoopback, type EndpointRules } from '@app/protocol';
import { checkedLookup, type ResolveAll } from './checked-lookup.js';

export interface OutgoingOptions extends EndpointRules {
  /** In place of the system's resolver, for specs. */
  resolve?: ResolveAll;
  /** Certificate authorities to trust instead of the system's, PEM; for specs. */
  ca?: string;
  /** In place of {@link LIMITS}. */
  limits?: Partial<typeof LIMITS>;
}

/** What an endpoint may take and send, so that none holds this process up. */
export const LIMITS = {
  /** From the name's look-up until the connection, TLS included, stands; ms. */
  connectMs: 5_000,
  /** From first to last, ms. */
  wholeMs: 10_000,
  headerBytes: 16_384,
  /** Of an answer's body, what is beyond is not read. */
  bodyBytes: 16_384,
  /** Connections to one origin at once. */
  connections: 32,
};

/** An answer; its body is cut where it exceeds {@link LIMITS}. */
export interface OutgoingAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** No answer, in words that a member may read: of this network's inside they tell nothing. */
export interface OutgoingFailure {
  failure: string;
}

/**
 * Sends to endpoints that members chose: https only, no redirects, to addresses that were checked when the connection
 * was made, within limits of size and time. Connections are kept and shared.
 */
export class Outgoing {
  private readonly limits: typeof LIMITS;
  private readonly agents: { public: Agent; loopback: Agent };

  constructor(private readonly options: OutgoingOptions) {
    const limits = (this.limits = { ...LIMITS, ...options.limits });
    const { connectMs, wholeMs, headerBytes, connections } = limits;
    const agent = (lookup?: ReturnType<typeof checkedLookup>) =>
      new Agent({
        connections,
        maxHeaderSize: headerBytes,
        headersTimeout: wholeMs,
        bodyTimeout: wholeMs,
        connect: buildConnector({
          timeout: connectMs,
          ...(options.ca === undefined ? {} : { ca: options.ca }),
          // The connector's types know only the wider signature of node:net.
          ...(lookup === undefined ? {} : { lookup: lookup as never }),
        }),
      });
    this.agents = { public: agent(checkedLookup(options.allowPrivate, options.resolve)), loopback: agent() };
  }

  /** POSTs a text. Never throws for what the endpoint or the network does. */
  async post(
    endpoint: string,
    headers: Record<string, string>,
    body: string,
  ): Promise<OutgoingAnswer | OutgoingFailure> {
    // Names are checked when they are connected to; here, what the URL says by itself, literal addresses included.
    const url = checkEndpoint(endpoint, this.options);
    if (typeof url === 'string') return { failure: `not sent: the endpoint ${url}` };
    try {
      const answer = await request(url, {
        dispatcher: namesLoopback(url) ? this.agents.loopback : this.agents.public,
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(this.limits.wholeMs),
      });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: await textUpTo(answer.body, this.limits.bodyBytes),
      };
    } catch (error) {
      return { failure: reasonFor(error, this.limits.wholeMs) };
    }
  }

  /** Lets go of all connections once what is under way has ended. */
  async close(): Promise<void> {
    await Promise.all([this.agents.public.close(), this.agents.loopback.close()]);
  }
}

/** The beginning of a body; what is beyond the limit is not read. */
async function textUpTo(body: AsyncIterable<Uint8Array> & { destroy(): unknown }, most: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size >= most) {
      body.destroy();
      break;
    }
  }
  return Buffer.concat(parts).subarray(0, most).toString('utf8');
}

/** By error codes of Node.js and undici: what a member can do something about, and no more. */
const REASONS: Record<string, string> = {
  FORBIDDEN_ADDRESS: 'not sent: the endpoint’s name leads to a private or reserved address',
  ENOTFOUND: 'no answer: the endpoint’s name is not known',
  EAI_AGAIN: 'no answer: the endpoint’s name could not be looked up',
  ECONNREFUSED: 'no answer: the connection was refused',
  EHOSTUNREACH: 'no answer: the endpoint cannot be reached',
  ENETUNREACH: 'no answer: the endpoint cannot be reached',
  UND_ERR_CONNECT_TIMEOUT: 'no answer: the connection was not made in time',
  ETIMEDOUT: 'no answer: the connection was not made in time',
  UND_ERR_HEADERS_OVERFLOW: 'no answer: its headers are too long',
};

function reasonFor(error: unknown, wholeMs: number): string {
  const { code, name } = firstOf(error) as { code?: unknown; name?: string };
  if (name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return `no answer within ${wholeMs / 1000} s`;
  if (typeof code !== 'string') return 'no answer: the connection broke';
  // Codes of OpenSSL and of Node.js's own checks of a certificate: they speak of the endpoint only.
  if (/^(CERT_|DEPTH_|ERR_TLS_|ERR_SSL_|SELF_SIGNED|UNABLE_TO_)/.test(code))
    return `no answer: its TLS certificate or protocol does not fit (${code})`;
  return REASONS[code] ?? 'no answer: the connection broke';
}

/** Where several addresses were tried, the first one's error speaks for all. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}
