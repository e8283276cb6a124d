import { randomUUID } from 'node:crypto';
import { Agent, request, type Dispatcher } from 'undici';
import { DoorTime } from './door-time.js';
import { DoorError, type DoorErrorCode } from './errors.js';

/** Largest answer that is read, bytes: a batch's receipt with every row refused stays below it. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** One HTTP call as a door needs it. */
export interface Call {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** Milliseconds for the whole call. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** What the call is known by in the logs of both sides (`X-Request-Id`): 1 to 64 of A-Z a-z 0-9 . _ -; else a new one. */
  requestId?: string;
}

/** An answer, with its body parsed: null where it was empty or not JSON. */
export interface Answer {
  status: number;
  body: unknown;
  retryAfterMs: number | null;
  /** The `X-Request-Id` that the call was made with. */
  requestId: string;
  /** Whether the answer taught that the door's time is another than was thought: see {@link DoorTime.learn}. */
  timeMoved: boolean;
}

/** A door reached over HTTP: keeps connections, bounds time and size, turns failures into {@link DoorError}. */
export class HttpDoor {
  private readonly agent: Agent;
  readonly base: URL;
  readonly time: DoorTime;

  /**
   * @param name what it is, for messages: `hub`, `blinder`
   * @param url its base, http or https
   * @param now this machine's time, milliseconds since 1970
   */
  constructor(
    readonly name: string,
    url: string,
    private readonly now: () => number = Date.now,
  ) {
    this.time = new DoorTime(now);
    this.base = new URL(url.endsWith('/') ? url : `${url}/`);
    this.agent = new Agent({ keepAliveTimeout: 10_000, connections: 4 });
  }

  /** The door's name with its address. */
  get label(): string {
    return `${this.name} at ${this.base.origin}`;
  }

  /** @throws {DoorError} UNREACHABLE, TIMEOUT, BAD_ANSWER (too large) */
  async call(call: Call): Promise<Answer> {
    const requestId = call.requestId ?? randomUUID();
    const sentAt = this.now();
    const timeout = AbortSignal.timeout(call.timeoutMs ?? 30_000);
    const signal = call.signal ? AbortSignal.any([timeout, call.signal]) : timeout;
    try {
      const answer = await request(new URL(call.path.replace(/^\//, ''), this.base), {
        method: call.method,
        headers: { accept: 'application/json', 'x-request-id': requestId, ...call.headers },
        body: call.body ?? null,
        dispatcher: this.agent,
        headersTimeout: 0,
        bodyTimeout: 0,
        signal,
      });
      const text = await this.read(answer);
      return {
        status: answer.statusCode,
        body: parse(text),
        retryAfterMs: retryAfter(answer.headers['retry-after'], answer.headers['date']),
        requestId,
        timeMoved: this.time.learn(Date.parse(String(answer.headers['date'])), sentAt),
      };
    } catch (error) {
      if (error instanceof DoorError) throw error;
      const [code, text] = timeout.aborted
        ? (['TIMEOUT', 'did not answer in time'] as const)
        : (['UNREACHABLE', `cannot be reached: ${reason(error)}`] as const);
      throw new DoorError(this.label, code, `The ${this.label} ${text}.`, { requestId });
    }
  }

  /**
   * The failure that an answer tells, with the request's id in its words: by it the other side finds the call in its logs.
   * @param message what is wrong and what to do
   */
  failure(answer: Answer, code: DoorErrorCode, message: string): DoorError {
    // Who is refused while the clocks disagree is most likely refused for that.
    const trouble = code === 'UNAUTHENTICATED' ? this.time.trouble : null;
    const hint = trouble === null ? '' : ` Most likely the reason: ${trouble}.`;
    return new DoorError(this.label, code, `${message}${hint} (request ${answer.requestId})`, answer);
  }

  private async read(answer: Dispatcher.ResponseData): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer.body) {
      size += (chunk as Buffer).length;
      if (size > MAX_ANSWER_BYTES) throw new DoorError(this.label, 'BAD_ANSWER', `The ${this.label} answers too much.`);
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  /** Closes idle connections. */
  async close(): Promise<void> {
    await this.agent.destroy();
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'unknown reason';
}

/** Retry-After in milliseconds: seconds, or a date, which is read against the answer's own Date (RFC 9110, 10.2.3). */
function retryAfter(value: string | string[] | undefined, date: string | string[] | undefined): number | null {
  if (typeof value !== 'string') return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const wait = Date.parse(value) - Date.parse(typeof date === 'string' ? date : '');
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}
