import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { createLogger } from '@app/infrastructure/logging';
import { SigningKeys } from '@app/keys';
import { BongsuError } from '@app/protocol';
import { ClientDirectory } from './client-directory.service.js';
import { Denials } from './denials.service.js';
import { TOKEN_PATH } from './domain/doors.js';
import { IdentityOptions } from './identity.options.js';
import { UsedAssertions } from './used-assertions.service.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** While the register of keys cannot be read. */
const away: Handler = async (_request, response) => {
  response.writeHead(503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify({ error: 'temporarily_unavailable', error_description: 'Try again in a moment.' }));
};

/** The hub's OAuth 2 token endpoint: oidc-provider, of which nothing but this one route is reachable. */
@Injectable()
export class AuthorizationServer {
  private readonly logger = createLogger('identity');
  private current: { issuer: string; kid: string; handle: Handler } | null = null;

  constructor(
    private readonly keys: SigningKeys,
    private readonly clients: ClientDirectory,
    private readonly used: UsedAssertions,
    private readonly denials: Denials,
    private readonly options: IdentityOptions,
  ) {}

  /** Answers a token request whose body is not read yet. */
  async token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const handle = await this.handler().catch((error: unknown) => {
      if (error instanceof BongsuError && error.code === 'UNAVAILABLE') return away;
      throw error;
    });
    const issuer = new URL(this.options.issuer());
    // The server takes its own address from the request. It is the issuer's, however the request came here.
    request.headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1);
    request.headers['x-forwarded-host'] = issuer.host;
    request.url = TOKEN_PATH;
    Object.assign(request, { originalUrl: `${issuer.pathname.replace(/\/$/, '')}${TOKEN_PATH}` });
    // No browser calls from another site.
    delete request.headers.origin;
    await handle(request, response);
  }

  /** The server for the issuer, which is known late, and for the key that signs now. */
  private async handler(): Promise<Handler> {
    // Loaded where tokens are issued: a process that only verifies, or only works, does without.
    const { tokenEndpoint } = await import('./token-endpoint.js');
    const issuer = this.options.issuer();
    const key = await this.keys.current();
    if (this.current?.issuer !== issuer || this.current.kid !== key.kid) {
      const { clients, used, denials, logger } = this;
      const handle = tokenEndpoint(issuer, key, { clients, used, denials, logger });
      this.current = { issuer, kid: key.kid, handle };
    }
    return this.current.handle;
  }
}
