import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * A receiver of security event tokens that shares no code with the project: it reads RFC 7515, 8417 and 8935 for
 * itself, on node:crypto alone, so that an error that sender and receiver would share shows.
 */

/** A token's parts after its signature has been verified. */
export interface VerifiedSet {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
}

/** Verifies a compact JWS with ES256 (RFC 7518, section 3.4: R and S, 32 bytes each) against published keys. */
export function verifyCompact(jws: string, keys: readonly Record<string, unknown>[]): VerifiedSet {
  const parts = jws.split('.');
  if (parts.length !== 3) throw new Error('a compact JWS has three parts');
  const [head, body, signature] = parts as [string, string, string];
  const json = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
  const header = json(head);
  if (header['alg'] !== 'ES256') throw new Error(`alg ${String(header['alg'])}`);
  const jwk = keys.find((key) => key['kid'] === header['kid']);
  if (!jwk) throw new Error('signed with a key that is not published');
  if ('d' in jwk) throw new Error('a private key is published');
  const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  const raw = Buffer.from(signature, 'base64url');
  if (raw.length !== 64) throw new Error('an ES256 signature has 64 bytes');
  if (!verify('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, raw))
    throw new Error('the signature does not fit');
  return { header, claims: json(body) };
}

/** What came to the receiver: the request as it was. */
export interface ReceivedPush {
  contentType: string | undefined;
  authorization: string | undefined;
  body: string;
  at: number;
}

/** How the receiver answers: a status and a body, or `hang` for no answer at all. */
export type Answer = { status: number; body?: string; headers?: Record<string, string> } | 'hang';

export class EventReceiver {
  readonly received: ReceivedPush[] = [];
  /** Called for each push; answers 202 by default. */
  answer: (push: ReceivedPush) => Answer | Promise<Answer> = () => ({ status: 202 });
  private readonly server = createServer((request, response) => void this.handle(request, response));

  static async start(): Promise<EventReceiver> {
    const receiver = new EventReceiver();
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/events`;
  }

  /** The ids (`jti`) of what came, as often as it came; unverified. */
  get jtis(): string[] {
    return this.received.map(({ body }) => {
      const claims = JSON.parse(Buffer.from(body.split('.')[1]!, 'base64url').toString('utf8')) as { jti: string };
      return claims.jti;
    });
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const push = {
      contentType: request.headers['content-type'],
      authorization: request.headers.authorization,
      body: Buffer.concat(parts).toString('utf8'),
      at: Date.now(),
    };
    this.received.push(push);
    const answer = await this.answer(push);
    if (answer === 'hang') return;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}
