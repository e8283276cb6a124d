import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { ExpressAdapter } from '@nestjs/platform-express';
import { addressKey } from '@app/identity';
import { HEADER_LIMITS, type HubLimits } from '../limits/limits.js';

/** Express on a server that waits for nobody long, and holds few connections of one address. */
export class BoundedAdapter extends ExpressAdapter {
  constructor(private readonly limits: HubLimits) {
    super();
  }

  override initHttpServer(): void {
    const { headersMs, requestMs, keepAliveMs, lateCheckMs } = this.limits;
    const server = createServer(
      {
        headersTimeout: headersMs,
        requestTimeout: requestMs,
        keepAliveTimeout: keepAliveMs,
        connectionsCheckingInterval: lateCheckMs,
        maxHeaderSize: HEADER_LIMITS.bytes,
      },
      this.getInstance<() => void>(),
    );
    server.maxHeadersCount = HEADER_LIMITS.count;
    // For a caller that sends, and then does not read.
    server.setTimeout(requestMs * 2);
    this.countConnections(server);
    this.httpServer = server;
  }

  private countConnections(server: Server): void {
    const open = new Map<string, number>();
    // Express's own compiled form of `trust proxy`.
    const isProxy = (address: string) =>
      (
        this.getInstance<{ get(name: string): (address: string, hop: number) => boolean }>().get('trust proxy fn') ??
        (() => false)
      )(address, 0);
    server.on('connection', (socket: Socket) => {
      const { remoteAddress } = socket;
      if (remoteAddress !== undefined && isProxy(remoteAddress)) return;
      const address = addressKey(remoteAddress);
      const count = (open.get(address) ?? 0) + 1;
      if (count > this.limits.connectionsPerAddress) {
        socket.destroy();
        return;
      }
      open.set(address, count);
      socket.once('close', () => {
        const left = (open.get(address) ?? 1) - 1;
        if (left > 0) open.set(address, left);
        else open.delete(address);
      });
    });
  }
}
