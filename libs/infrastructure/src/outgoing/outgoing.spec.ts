import type { LookupAddress } from 'node:dns';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { TLS_CERTIFICATE, TLS_KEY, TLS_NAME } from '../../../../test/support/tls.js';
import { Outgoing, type OutgoingOptions } from './outgoing.js';

/** Stands for the public Internet: the one address of this machine that specs let through. */
const PUBLIC: LookupAddress = { address: '127.0.0.1', family: 4 };
const INSIDE: LookupAddress = { address: '127.0.0.2', family: 4 };

/** An endpoint on this machine that counts what reaches it. */
class Endpoint {
  requests = 0;
  readonly sockets = new Set<Socket>();
  readonly names: unknown[] = [];
  connections = 0;
  private readonly server: NetServer;

  private constructor(
    readonly scheme: 'http' | 'https',
    answer: RequestListener,
  ) {
    const handle: RequestListener = (request, response) => {
      this.requests++;
      request.resume();
      answer(request, response);
    };
    const tls = { key: TLS_KEY, cert: TLS_CERTIFICATE };
    this.server = scheme === 'https' ? createTlsServer(tls, handle) : createServer(handle);
    this.server.on(scheme === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections++;
      this.names.push((socket as { servername?: unknown }).servername);
      this.sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.sockets.delete(socket));
    });
  }

  static async open(scheme: 'http' | 'https', answer: RequestListener): Promise<Endpoint> {
    const endpoint = new Endpoint(scheme, answer);
    await new Promise<void>((resolve) => endpoint.server.listen(0, '127.0.0.1', resolve));
    opened.push(endpoint);
    return endpoint;
  }

  /** Its URL under a host. */
  url(host: string): string {
    return `${this.scheme}://${host}:${(this.server.address() as AddressInfo).port}/events`;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

const opened: Endpoint[] = [];
const outgoings: Outgoing[] = [];
afterEach(async () => {
  await Promise.all(outgoings.splice(0).map((outgoing) => outgoing.close()));
  await Promise.all(opened.splice(0).map((endpoint) => endpoint.close()));
});

const outgoing = (options: Partial<OutgoingOptions>) => {
  const made = new Outgoing({
    production: true,
    allowPrivate: ['127.0.0.1/32'],
    ca: TLS_CERTIFICATE,
    resolve: () => Promise.resolve([PUBLIC]),
    ...options,
  });
  outgoings.push(made);
  return made;
};
const accept: RequestListener = (_request, response) => void response.writeHead(202).end();
const push = (from: Outgoing, url: string) => from.post(url, { 'content-type': 'text/plain' }, 'an event');

describe.each([true, false])('sending out (production: %s)', (production) => {
  it('reaches a public endpoint by name over TLS, on connections that are kept', async () => {
    const endpoint = await Endpoint.open('https', accept);
    const from = outgoing({ production });
    for (let i = 0; i < 5; i++)
      expect(await push(from, endpoint.url(TLS_NAME))).toMatchObject({ status: 202, body: '' });
    expect(endpoint.requests).toBe(5);
    expect(endpoint.connections).toBeLessThanOrEqual(2);
    expect(new Set(endpoint.names)).toEqual(new Set([TLS_NAME]));
  });

  it('sends nothing where the certificate is of another name', async () => {
    const endpoint = await Endpoint.open('https', accept);
    const answer = await push(outgoing({ production }), endpoint.url('other.example'));
    expect(answer).toEqual({ failure: expect.stringMatching(/certificate.*ERR_TLS_CERT_ALTNAME_INVALID/) });
    expect(endpoint.requests).toBe(0);
  });

  it('goes to the address that was checked, and checks anew for each connection', async () => {
    const answers = [[PUBLIC], [INSIDE]];
    let asked = 0;
    const resolve = () => Promise.resolve(answers[Math.min(asked++, 1)]!);
    const endpoint = await Endpoint.open('https', (_request, response) => {
      response.writeHead(202, { connection: 'close' }).end();
    });
    const from = outgoing({ production, resolve });
    expect(await push(from, endpoint.url(TLS_NAME))).toMatchObject({ status: 202 });
    expect(asked).toBe(1);
    expect(await push(from, endpoint.url(TLS_NAME))).toEqual({
      failure: expect.stringMatching(/private or reserved/),
    });
    expect(endpoint.requests).toBe(1);
  });

  it.each<[string, LookupAddress[]]>([
    ['a loopback', [INSIDE]],
    ['a good address and a bad one', [PUBLIC, INSIDE]],
    ['a bad address and a good one', [{ address: '10.0.0.1', family: 4 }, PUBLIC]],
    ['the IPv6 loopback', [{ address: '::1', family: 6 }]],
    ['a mapped address', [{ address: '::ffff:127.0.0.1', family: 6 }]],
    ['NAT64', [{ address: '64:ff9b::7f00:1', family: 6 }]],
    ['6to4', [{ address: '2002:7f00:1::1', family: 6 }]],
    ['a unique-local address', [PUBLIC, { address: 'fd00::1', family: 6 }]],
    ['link-local metadata', [{ address: '169.254.169.254', family: 4 }]],
  ])('refuses a name that leads to %s, and does not say where', async (_what, addresses) => {
    const endpoint = await Endpoint.open('https', accept);
    const answer = await push(
      outgoing({ production, resolve: () => Promise.resolve(addresses) }),
      endpoint.url(TLS_NAME),
    );
    expect(answer).toEqual({ failure: expect.stringMatching(/leads to a private or reserved address/) });
    expect(JSON.stringify(answer)).not.toMatch(/\d+\.\d+\.\d+|::/);
    expect(endpoint.connections).toBe(0);
  });

  it.each(['2130706434', '0x7f000002', '0177.0.0.2', '10.0.0.1', '[::1%25lo]', '[::ffff:127.0.0.2]', '0.0.0.0'])(
    'refuses the literal address %s',
    async (host) => {
      const from = outgoing({ production: true, resolve: () => Promise.reject(new Error('asked')) });
      expect(await push(from, `https://${host}:1/`)).toEqual({ failure: expect.stringMatching(/^not sent/) });
    },
  );

  it('does not follow a redirect', async () => {
    const inside = await Endpoint.open('http', accept);
    const endpoint = await Endpoint.open('https', (_request, response) => {
      response.writeHead(307, { location: inside.url('127.0.0.1') }).end();
    });
    expect(await push(outgoing({ production }), endpoint.url(TLS_NAME))).toMatchObject({ status: 307 });
    expect(inside.connections).toBe(0);
  });

  it('reads no more of an endless body than it must', async () => {
    const endpoint = await Endpoint.open('https', (_request, response) => {
      response.writeHead(202);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      };
      response.on('drain', more);
      more();
    });
    const answer = await push(outgoing({ production }), endpoint.url(TLS_NAME));
    expect(answer).toMatchObject({ status: 202, body: 'x'.repeat(16_384) });
    while (endpoint.sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it.each<[string, RequestListener]>([
    ['headers that trickle', (_request, response) => trickle(response.socket!, 'HTTP/1.1 202 Accepted\r\nx-slow: ')],
    [
      'a body that trickles',
      (_request, response) => trickle(response.socket!, 'HTTP/1.1 202 Accepted\r\ncontent-length: 999\r\n\r\n'),
    ],
    ['no answer at all', () => undefined],
  ])('gives up on %s', async (_what, answer) => {
    const endpoint = await Endpoint.open('https', answer);
    const from = outgoing({ production, limits: { wholeMs: 400 } });
    expect(await push(from, endpoint.url(TLS_NAME))).toEqual({ failure: 'no answer within 0.4 s' });
  });

  it('refuses headers that are too long', async () => {
    const endpoint = await Endpoint.open('https', (_request, response) => {
      response.writeHead(202, { 'x-long': 'x'.repeat(20_000) }).end();
    });
    const answer = await push(outgoing({ production }), endpoint.url(TLS_NAME));
    expect(answer).toEqual({ failure: 'no answer: its headers are too long' });
  });

  it('does not wait for a name that is never resolved, and asks for it once at a time', async () => {
    let asked = 0;
    const resolve = () => {
      asked++;
      return new Promise<LookupAddress[]>(() => undefined);
    };
    const from = outgoing({ production, resolve, limits: { connectMs: 200 } });
    const answers = await Promise.all([1, 2, 3].map(() => push(from, `https://${TLS_NAME}:1/`)));
    for (const answer of answers) expect(answer).toEqual({ failure: expect.stringMatching(/not made in time/) });
    expect(asked).toBe(1);
  });

  it.each([
    ['ENOTFOUND', 'the endpoint’s name is not known'],
    ['EWHATEVER', 'the connection broke'],
  ])('says in plain words what failed (%s), and nothing of what the system said', async (code, words) => {
    const resolve = () => Promise.reject(Object.assign(new Error('getaddrinfo ns1.internal'), { code }));
    const answer = await push(outgoing({ production, resolve }), `https://${TLS_NAME}:1/`);
    expect(answer).toEqual({ failure: `no answer: ${words}` });
  });
});

describe('http', () => {
  it('is for a loopback that the URL names, in development', async () => {
    const endpoint = await Endpoint.open('http', accept);
    const by = (production: boolean) => outgoing({ production, allowPrivate: [] });
    for (const host of ['127.0.0.1', 'localhost'])
      expect(await push(by(false), endpoint.url(host))).toMatchObject({ status: 202 });
    for (const host of ['127.0.0.1', 'localhost'])
      expect(await push(by(true), endpoint.url(host))).toEqual({ failure: 'not sent: the endpoint needs https.' });
    expect(await push(by(false), endpoint.url(TLS_NAME))).toEqual({ failure: expect.stringMatching(/needs https/) });
    expect(endpoint.requests).toBe(2);
  });
});

function trickle(socket: Socket, start: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write('x'), 20);
  socket.once('close', () => clearInterval(timer));
}
