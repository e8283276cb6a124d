import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BongsuError, DoorError } from '@app/member-sdk';
import type { Receiver } from './receiver.js';

/** Largest event taken, bytes. */
const MAX_EVENT_BYTES = 256 * 1024;

export interface ListenerOptions {
  host: string;
  /** 0 for any free port. */
  port: number;
  /** What the hub's Authorization header must be; null where events are polled for and none are taken here. */
  authorization: string | null;
  receiver: Receiver;
  /** The status as JSON, for callers on this machine. */
  status: () => Promise<unknown>;
  /** Called after an event was taken. */
  received: () => void;
  note: (text: string) => void;
}

/** The agent's own door: `POST /events` (RFC 8935) for the hub, `GET /status` for this machine. */
export class PushListener {
  private constructor(private readonly server: Server) {}

  /** @throws {BongsuError} CONFIG_INVALID when the address cannot be had */
  static async open(options: ListenerOptions): Promise<PushListener> {
    const server = createServer((request, response) => {
      serve(options, request, response).catch((error: unknown) => {
        options.note(`A request failed: ${(error as Error).message}`);
        if (!response.headersSent) answer(response, 500, { err: 'internal', description: 'The agent failed.' });
      });
    });
    server.requestTimeout = 15_000;
    await new Promise<void>((done, failed) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        failed(
          new BongsuError(
            'CONFIG_INVALID',
            `listen: ${options.host}:${options.port} cannot be had (${error.code}).`,
            'listen',
          ),
        ),
      );
      server.listen(options.port, options.host, done);
    });
    return new PushListener(server);
  }

  get url(): string {
    const { address, port, family } = this.server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((done) => {
      this.server.close(() => done());
      this.server.closeAllConnections();
    });
  }
}

async function serve(options: ListenerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0];
  if (request.method === 'GET' && path === '/status') {
    if (!isLocal(request)) return answer(response, 404, { err: 'not_found', description: 'No such door.' });
    return answer(response, 200, await options.status());
  }
  if (path !== '/events' || options.authorization === null)
    return answer(response, 404, { err: 'not_found', description: 'No such door.' });
  if (request.method !== 'POST') return answer(response, 405, { err: 'invalid_request', description: 'POST events.' });
  await takeEvent(options, request, response);
}

async function takeEvent(options: ListenerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const refuse = (err: string, description: string) => answer(response, 400, { err, description });
  if (!same(request.headers.authorization ?? '', options.authorization!))
    return refuse('authentication_failed', 'The Authorization header is not the one registered.');
  if (!/^application\/secevent\+jwt\b/i.test(request.headers['content-type'] ?? ''))
    return refuse('invalid_request', 'Content-Type must be application/secevent+jwt.');
  const set = await readBody(request);
  if (set === null) return refuse('invalid_request', `An event has at most ${MAX_EVENT_BYTES} bytes.`);
  try {
    await options.receiver.take(set.trim());
  } catch (error) {
    if (error instanceof BongsuError) {
      options.note(`An event was refused (${error.where}): ${error.message}`);
      return refuse(error.where ?? 'invalid_request', error.message);
    }
    if (!(error instanceof DoorError)) throw error;
    options.note(`An event cannot be checked now: ${error.message}`);
    response.setHeader('retry-after', '5');
    return answer(response, 503, {
      err: 'unavailable',
      description: "The hub's keys cannot be had to check the event.",
    });
  }
  response.writeHead(202).end();
  options.received();
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_EVENT_BYTES) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Compares in a time that does not tell where the texts differ. */
function same(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

function isLocal(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress ?? '';
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
