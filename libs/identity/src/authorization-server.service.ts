import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { decodeJwt } from 'jose';
import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { createLogger, reasonOf } from '@app/infrastructure/logging';
import { SigningKeys } from '@app/keys';
import { BongsuError } from '@app/protocol';
import { ClientDirectory } from './client-directory.service.js';
import { Denials } from './denials.service.js';
import { plainSubject } from './domain/client-id.js';
import { IdentityOptions } from './identity.options.js';
import { providerConfiguration, TOKEN_PATH } from './provider-configuration.js';
import { UsedAssertions } from './used-assertions.service.js';

interface Answer {
  status: number;
  /** RFC 6749, section 5.2. */
  body: { error: string; error_description: string };
}

const UNAUTHENTICATED: Answer = {
  status: 401,
  body: { error: 'invalid_client', error_description: 'The client could not be authenticated.' },
};
const BAD_PROOF: Answer = {
  status: 400,
  body: {
    error: 'invalid_dpop_proof',
    error_description: 'A fresh DPoP proof of this request is needed (RFC 9449).',
  },
};
const AWAY: Answer = {
  status: 503,
  body: {
    error: 'temporarily_unavailable',
    error_description: 'A part that is needed is away; try again in a moment.',
  },
};
const BROKEN: Answer = {
  status: 500,
  body: { error: 'server_error', error_description: 'The hub made an error; it is logged.' },
};

/** The hub's OAuth 2 token endpoint: oidc-provider, of which nothing but this one route is reachable. */
@Injectable()
export class AuthorizationServer {
  private readonly logger = createLogger('identity');
  private provider: { issuer: string; kid: string; handle: ReturnType<Provider['callback']> } | null = null;

  constructor(
    private readonly keys: SigningKeys,
    private readonly clients: ClientDirectory,
    private readonly used: UsedAssertions,
    private readonly denials: Denials,
    private readonly options: IdentityOptions,
  ) {}

  /** Answers a token request whose body is not read yet. */
  async token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const issuer = new URL(this.options.issuer());
    // The server takes its own address from the request. It is the issuer's, however the request came here.
    request.headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1);
    request.headers['x-forwarded-host'] = issuer.host;
    request.url = TOKEN_PATH;
    Object.assign(request, { originalUrl: `${issuer.pathname.replace(/\/$/, '')}${TOKEN_PATH}` });
    // No browser calls from another site.
    delete request.headers.origin;
    await this.handler()(request, response);
  }

  private handler(): ReturnType<Provider['callback']> {
    const issuer = this.options.issuer();
    const key = this.keys.current();
    if (this.provider?.issuer !== issuer || this.provider.kid !== key.kid)
      this.provider = { issuer, kid: key.kid, handle: this.build(issuer).callback() };
    return this.provider.handle;
  }

  private build(issuer: string): Provider {
    const provider = new Provider(issuer, providerConfiguration(issuer, this.keys.current(), this.clients, this.used));
    provider.proxy = true;
    (provider as EventEmitter).on('error', (error: unknown) =>
      this.logger.warn({ reason: reasonOf(error) }, 'a token request broke off'),
    );
    const faults = new WeakMap<object, Error>();
    const note = (ctx: KoaContextWithOIDC, error: Error) => void faults.set(ctx, error);
    provider.on('grant.error', note);
    provider.on('server_error', note);
    provider.use(async (ctx, next) => {
      try {
        // Whoever gets a token finds the key to verify it by.
        await this.keys.register();
        await next();
        ctx.remove('Access-Control-Allow-Origin');
        ctx.remove('Vary');
        const fault = faults.get(ctx);
        if (fault) await this.refuse(ctx as KoaContextWithOIDC, fault);
      } catch (error) {
        await this.refuse(ctx as KoaContextWithOIDC, error);
      }
    });
    return provider;
  }

  private async refuse(ctx: KoaContextWithOIDC, fault: unknown): Promise<void> {
    let answer = answerOf(fault);
    if (answer.status < 500)
      await this.denials
        .record('token.denied', claimedSubject(ctx), reasonFor(fault as errors.OIDCProviderError))
        .catch((error: unknown) => (answer = answerOf(error)));
    if (answer === BROKEN)
      this.logger.error(
        { reason: reasonOf(fault), stack: fault instanceof Error ? fault.stack : undefined },
        'an error that was not expected',
      );
    ctx.status = answer.status;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = answer.body;
  }
}

/** One answer for everything that is wrong about who asks; plain words for a request that is merely wrong. */
function answerOf(fault: unknown): Answer {
  if (fault instanceof BongsuError && fault.code === 'UNAVAILABLE') return AWAY;
  if (!(fault instanceof errors.OIDCProviderError) || !fault.expose) return BROKEN;
  if (fault.statusCode === 401) return UNAUTHENTICATED;
  if (fault.error === 'invalid_dpop_proof' || fault.error === 'invalid_grant') return BAD_PROOF;
  return { status: 400, body: { error: fault.error, error_description: fault.error_description ?? fault.error } };
}

/** For the audit: what the server found. */
function reasonFor({ error, error_description, error_detail }: errors.OIDCProviderError): string {
  return `${error}: ${error_detail ?? error_description ?? '-'}`.slice(0, 200);
}

/** Whom an assertion claims to come from; not verified. */
function claimedSubject(ctx: KoaContextWithOIDC): string {
  try {
    return plainSubject(decodeJwt(String(ctx.oidc.params?.['client_assertion'])).sub) ?? '-';
  } catch {
    return '-';
  }
}
