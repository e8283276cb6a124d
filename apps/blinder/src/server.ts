import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BongsuError } from '@app/protocol';
import type { Door } from './door.js';

/** Most bytes of a request's body. */
export const MAX_BODY_BYTES = 1 << 20;

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 30_000;
const CLOSE_GRACE_MS = 5_000;

/** A door that is open. */
export interface OpenDoor {
  /** `http://host:port`, no slash at the end. */
  readonly url: string;
  /** Answers what is under way, for five seconds at most, then lets go of the port. */
  close(): Promise<void>;
}

/**
 * Opens the door over HTTP.
 * @param port 0 for any free one
 * @throws {BongsuError} CONFIG_INVALID naming BLINDER_PORT or BLINDER_HOST when it cannot listen there
 */
export async function openDoor(door: Door, host: string, port: number): Promise<OpenDoor> {
  const server = createServer((request, response) => void serve(door, request, response));
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${name}:${address.port}`, close: () => closeServer(server) };
}

async function serve(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = parseUrl(request.url);
  const answer =
    url === undefined
      ? { status: 400, body: { code: 'BAD_INPUT', message: 'The path is malformed.' }, headers: {} }
      : await door.answer({
          method: request.method ?? 'GET',
          url,
          authorization: request.headers.authorization,
          body: () => readBody(request),
        });
  // A caller still sending would see a reset instead of the refusal: what it announced, within bounds, is read off.
  if (!request.complete && announced(request) <= MAX_BODY_BYTES) await drained(request);
  if (response.destroyed) return;
  const text = Buffer.from(JSON.stringify(answer.body));
  response.writeHead(answer.status, {
    ...answer.headers,
    'content-type': 'application/json',
    'content-length': text.length,
    'cache-control': 'no-store',
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.end(text);
}

/** Bytes of the body as announced; without end where it was not. */
function announced(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? Infinity);
}

function drained(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    request.once('end', resolve).once('close', resolve).resume();
  });
}

function parseUrl(target: string | undefined): URL | undefined {
  try {
    return new URL(target ?? '/', 'http://blinder');
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const tooLarge = new BongsuError('BATCH_TOO_LARGE', `A body has at most ${MAX_BODY_BYTES} bytes.`);
  if (request.headers['content-length'] !== undefined && announced(request) > MAX_BODY_BYTES) throw tooLarge;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
      else reject(tooLarge);
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    // A body that broke off ends in an error, or, where the reader was gone first, in a bare close.
    request.on('close', () => reject(new BongsuError('BAD_INPUT', 'The body broke off.')));
    request.on('error', () => reject(new BongsuError('BAD_INPUT', 'The body broke off.')));
  });
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message =
        error.code === 'EADDRINUSE'
          ? `BLINDER_PORT: port ${port} on ${host} is taken; give another, or 0 for any free one.`
          : `BLINDER_HOST: cannot listen on ${host}, port ${port}: ${error.message}.`;
      reject(new BongsuError('CONFIG_INVALID', message, error.code === 'EADDRINUSE' ? 'BLINDER_PORT' : 'BLINDER_HOST'));
    });
    server.listen(port, host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS).unref();
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
