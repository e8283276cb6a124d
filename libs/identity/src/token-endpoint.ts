import type { EventEmitter } from 'node:events';
import { decodeJwt } from 'jose';
import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { reasonOf, type Logger } from '@app/infrastructure/logging';
import type { SigningKey } from '@app/keys';
import { BongsuError } from '@app/protocol';
import type { ClientDirectory } from './client-directory.service.js';
import type { Denials } from './denials.service.js';
import { plainSubject } from './domain/client-id.js';
import { providerConfiguration } from './provider-configuration.js';
import type { UsedAssertions } from './used-assertions.service.js';

/** What the endpoint works with. */
export interface TokenEndpointParts {
  clients: ClientDirectory;
  used: UsedAssertions;
  denials: Denials;
  logger: Logger;
}

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

/** The authorization server under an issuer, which signs with a key: a handler for requests of its token endpoint. */
export function tokenEndpoint(
  issuer: string,
  key: SigningKey,
  parts: TokenEndpointParts,
): ReturnType<Provider['callback']> {
  const { clients, used, logger } = parts;
  const provider = new Provider(issuer, providerConfiguration(issuer, key, clients, used));
  provider.proxy = true;
  (provider as EventEmitter).on('error', (error: unknown) =>
    logger.warn({ reason: reasonOf(error) }, 'a token request broke off'),
  );
  const faults = new WeakMap<object, Error>();
  const note = (ctx: KoaContextWithOIDC, error: Error) => void faults.set(ctx, error);
  provider.on('grant.error', note);
  provider.on('server_error', note);
  provider.use(async (ctx, next) => {
    try {
      await next();
      ctx.remove('Access-Control-Allow-Origin');
      ctx.remove('Vary');
      const fault = faults.get(ctx);
      if (fault) await refuse(ctx as KoaContextWithOIDC, fault, parts);
    } catch (error) {
      await refuse(ctx as KoaContextWithOIDC, error, parts);
    }
  });
  return provider.callback();
}

async function refuse(ctx: KoaContextWithOIDC, fault: unknown, { denials, logger }: TokenEndpointParts): Promise<void> {
  let answer = answerOf(fault);
  if (answer.status < 500)
    await denials
      .record('token.denied', claimedSubject(ctx), reasonFor(fault as errors.OIDCProviderError))
      .catch((error: unknown) => (answer = answerOf(error)));
  if (answer === BROKEN)
    logger.error(
      { reason: reasonOf(fault), stack: fault instanceof Error ? fault.stack : undefined },
      'an error that was not expected',
    );
  ctx.status = answer.status;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = answer.body;
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
