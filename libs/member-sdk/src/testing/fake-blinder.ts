import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deriveKeyPair, evaluate, type KeyPair } from '@app/blinding';

/** A blinder with a key of its own behind the real door, without quotas or authentication: for specs. */
export class FakeBlinder {
  away = false;
  /** Uses another key than the one it publishes. */
  lies = false;
  /** Elements evaluated so far. */
  evaluated = 0;

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
      void read(request).then((text) => {
        if (blinder.away) return request.socket.destroy();
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify(blinder.answer(request, text)));
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
