import { Agent, request, type Dispatcher } from 'undici';
import { DoorError } from './errors.js';

/** Largest answer that is read, bytes: a batch's receipt with every row refused stays below it. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** One HTTP call as a door needs it. */
export interface Call {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** Milliseconds for the whole call. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** An answer, with its body parsed: null where it was empty or not JSON. */
export interface Answer {
  status: number;
  body: unknown;
  retryAfterMs: number | null;
}

/** A door reached over HTTP: keeps connections, bounds time and size, turns failures into {@link DoorError}. */
export class HttpDoor {
  private readonly agent: Agent;
  readonly base: URL;

  /**
   * @param name what it is, for messages: `hub`, `blinder`
   * @param url its base, http or https
   */
  constructor(
    readonly name: string,
    url: string,
  ) {
    this.base = new URL(url.endsWith('/') ? url : `${url}/`);
    this.agent = new Agent({ keepAliveTimeout: 10_000, connections: 4 });
  }

  /** The door's name with its address. */
  get label(): string {
    return `${this.name} at ${this.base.origin}`;
  }

  /** @throws {DoorError} UNREACHABLE, TIMEOUT, BAD_ANSWER (too large) */
  async call(call: Call): Promise<Answer> {
    const timeout = AbortSignal.timeout(call.timeoutMs ?? 30_000);
    const signal = call.signal ? AbortSignal.any([timeout, call.signal]) : timeout;
    try {
      const answer = await request(new URL(call.path.replace(/^\//, ''), this.base), {
        method: call.method,
        headers: { accept: 'application/json', ...call.headers },
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
      };
    } catch (error) {
      if (error instanceof DoorError) throw error;
      if (timeout.aborted) throw new DoorError(this.label, 'TIMEOUT', `The ${this.label} did not answer in time.`);
      throw new DoorError(this.label, 'UNREACHABLE', `The ${this.label} cannot be reached: ${reason(error)}.`);
    }
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
