import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deriveKeyPair, evaluate, type KeyPair } from '@app/blinding';
import { importJWK, jwtVerify, type JWK } from 'jose';

/** A blinder with a key of its own behind the real door, without quotas: for specs. */
export class FakeBlinder {
  away = false;
  /** Uses another key than the one it publishes. */
  lies = false;
  /** Elements evaluated so far. */
  evaluated = 0;
  /** Public keys that may call; null: who calls is not looked at. */
  callers: JWK[] | null = null;
  /** Requests refused so far. */
  refused = 0;
  /** The blinder's time, milliseconds since 1970. */
  now: () => number = Date.now;

  private constructor(
    private readonly server: Server,
    private readonly keys: KeyPair,
    private readonly other: KeyPair,
  ) {}

  static async start(seed = 7): Promise<FakeBlinder> {
    const pair = (byte: number) => deriveKeyPair(new Uint8Array(32).fill(byte), new Uint8Array());
    const server = createServer();
    const blinder = new FakeBlinder(server, pair(seed), pair(seed + 100));
    server.on('request', (request, response) => {
      void read(request).then(async (text) => {
        if (blinder.away) return request.socket.destroy();
        const admitted = request.url === '/v1/epochs' || (await blinder.admits(request));
        if (!admitted) blinder.refused++;
        response
          .writeHead(admitted ? 200 : 401, {
            'content-type': 'application/json',
            date: new Date(blinder.now()).toUTCString(),
          })
          .end(JSON.stringify(admitted ? blinder.answer(request, text) : { code: 'UNAUTHENTICATED', message: 'no' }));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return blinder;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get publicKey(): Uint8Array {
    return this.keys.publicKey;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private async admits(request: IncomingMessage): Promise<boolean> {
    if (this.callers === null) return true;
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    for (const jwk of this.callers) {
      const rules = { audience: 'bongsu-blinder', currentDate: new Date(this.now()), maxTokenAge: 120 };
      const key = await importJWK(jwk, jwk.kty === 'EC' ? 'ES256' : 'EdDSA');
      const verified = await jwtVerify(token, key, rules).catch(() => null);
      if (verified) return true;
    }
    return false;
  }

  private answer(request: IncomingMessage, text: string): unknown {
    const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
    if (request.url === '/v1/epochs')
      return { epochs: [{ epoch: 1, publicKey: encode(this.keys.publicKey), state: 'active' }] };
    const body = JSON.parse(text) as { epoch: number; elements: string[] };
    const elements = body.elements.map((e) => new Uint8Array(Buffer.from(e, 'base64url')));
    const { evaluated, proof } = evaluate(this.lies ? this.other.secretKey : this.keys.secretKey, elements);
    this.evaluated += elements.length;
    return { epoch: body.epoch, elements: evaluated.map(encode), proof: encode(proof) };
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
