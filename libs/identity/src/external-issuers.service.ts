import { Injectable } from '@nestjs/common';
import { createRemoteJWKSet, customFetch, type FetchImplementation, type JWTVerifyGetKey } from 'jose';
import { BongsuError } from '@app/protocol';
import type { ExternalIssuer } from './domain/external-issuer.js';
import { IdentityOptions } from './identity.options.js';

const FETCH_MS = 3000;
const LONGEST_JWKS = 64 * 1024;
/** How long an issuer that did not answer is left alone, ms. */
const AWAY_MS = 10_000;
/** How long its keys are kept, and how soon an unknown one is asked for again, ms. */
const KEPT_MS = 600_000;
const COOLDOWN_MS = 30_000;

/** An external issuer with its keys. */
export interface KnownIssuer extends ExternalIssuer {
  /** @throws {BongsuError} UNAVAILABLE where the issuer does not hand out its keys */
  keys: JWTVerifyGetKey;
}

/** Authorization servers of others that the configuration names. */
@Injectable()
export class ExternalIssuers {
  private readonly known: Map<string, KnownIssuer>;

  constructor(options: IdentityOptions) {
    this.known = new Map((options.issuers ?? []).map((entry) => [entry.issuer, { ...entry, keys: keysOf(entry) }]));
  }

  /** @param issuer a token's `iss`, not yet verified */
  find(issuer: unknown): KnownIssuer | undefined {
    return typeof issuer === 'string' ? this.known.get(issuer) : undefined;
  }
}

function keysOf({ name, jwksUri }: ExternalIssuer): JWTVerifyGetKey {
  let awayUntil = 0;
  const away = () => new BongsuError('UNAVAILABLE', `The keys of the issuer ${name} cannot be had; try again later.`);
  const fetchKeys: FetchImplementation = async (url, options) => {
    // Whoever sends tokens decides how often this is asked: not more often than the issuer can be away.
    if (performance.now() < awayUntil) throw away();
    const response = await fetch(url, { ...options, redirect: 'error' });
    return new Response(await limited(response), { status: response.status, headers: response.headers });
  };
  const find = createRemoteJWKSet(new URL(jwksUri), {
    timeoutDuration: FETCH_MS,
    cacheMaxAge: KEPT_MS,
    cooldownDuration: COOLDOWN_MS,
    [customFetch]: fetchKeys,
  });
  return async (header, token) => {
    try {
      return await find(header, token);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      // Anything but "no such key" and "several keys" is the issuer's failure, not the token's.
      if (code === 'ERR_JWKS_NO_MATCHING_KEY' || code === 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') throw error;
      if (error instanceof BongsuError) throw error;
      awayUntil = performance.now() + AWAY_MS;
      throw away();
    }
  };
}

/** A body of at most {@link LONGEST_JWKS} bytes; its response is left where it is longer. */
async function limited(response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > LONGEST_JWKS) throw new Error('more keys than anybody needs');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
