import { decodeJwt, type JWK } from 'jose';
import { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { SigningKey } from '@app/keys';
import type { Client, ClientDirectory } from './client-directory.service.js';
import { assertionFault } from './domain/client-assertion.js';
import { parseClientId } from './domain/client-id.js';
import { requestedDoor, scopesOf, SCOPES, TOKEN_LIFE_S, TOKEN_PATH, type Door, type Scope } from './domain/doors.js';
import { PROOF_WINDOW_S } from './domain/dpop-proof.js';
import { ClientAdapter, EmptyAdapter, ReplayAdapter } from './provider-adapter.js';
import type { UsedAssertions } from './used-assertions.service.js';

/**
 * What the authorization server does: client credentials with `private_key_jwt`, tokens bound with DPoP, one audience a
 * token. Whatever else it could do is off.
 */
export function providerConfiguration(
  issuer: string,
  key: SigningKey,
  clients: ClientDirectory,
  used: UsedAssertions,
): Configuration {
  const { kid, alg } = key;
  const off = { enabled: false } as const;
  return {
    adapter: (name) =>
      name === 'Client'
        ? new ClientAdapter(clients)
        : name === 'ReplayDetection'
          ? new ReplayAdapter(used)
          : new EmptyAdapter(),
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims) => {
      const fault = assertionFault(claims, Date.now() / 1000);
      if (fault) throw new errors.InvalidClientAuth(fault);
    },
    clientAuthMethods: ['private_key_jwt'],
    clientDefaults: {
      grant_types: ['client_credentials'],
      id_token_signed_response_alg: alg,
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
    },
    clockTolerance: 0,
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'EdDSA'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA'],
      idTokenSigningAlgValues: [alg],
    },
    extraTokenClaims: async (_ctx, token) => claimsOf(await clientOf(clients, token.clientId)),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: off,
      dPoP: { enabled: true },
      pushedAuthorizationRequests: off,
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client) => audienceOf(issuer, asked(ctx, client.clientId).door),
        getResourceServerInfo: (ctx, resource, client) => {
          const { door, scopes } = asked(ctx, client.clientId);
          if (resource !== audienceOf(issuer, door))
            throw new errors.InvalidTarget(`The resource of these scopes is ${audienceOf(issuer, door)}.`);
          checkProofNeeded(ctx, door);
          return {
            scope: scopes.join(' '),
            audience: resource,
            accessTokenTTL: TOKEN_LIFE_S,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg, kid } },
          };
        },
      },
      rpInitiatedLogout: off,
      userinfo: off,
    },
    jwks: { keys: [{ ...(key.privateKey.export({ format: 'jwk' }) as JWK), kid, alg, use: 'sig' } as never] },
    // An error is told as JSON, whatever the request accepts.
    renderError: (ctx, out) => {
      ctx.body = out;
    },
    responseTypes: [],
    routes: { token: TOKEN_PATH },
    scopes: [...SCOPES],
    ttl: { ClientCredentials: TOKEN_LIFE_S },
  };
}

export function audienceOf(issuer: string, door: Door): string {
  return `${issuer}${door.path}`;
}

/** What the request asks for, its scope filled in where it gave none. */
function asked(ctx: KoaContextWithOIDC, clientId: string): { door: Door; scopes: Scope[] } {
  const { kind } = parseClientId(clientId)!;
  const params = ctx.oidc.params!;
  const wanted = requestedDoor(kind, params['scope'] as string | undefined);
  if (!wanted)
    throw new errors.InvalidScope(`Choose from ${scopesOf(kind).join(' ')}; graphql goes with no other.`, undefined!);
  params['scope'] = wanted.scopes.join(' ');
  return wanted;
}

/** Tokens for the API are bound to a key that the request proves; those for event receivers are plain. */
function checkProofNeeded(ctx: KoaContextWithOIDC, door: Door): void {
  const proof = ctx.get('DPoP');
  if (door.scheme === 'Bearer') {
    if (proof) throw new errors.InvalidRequest('Tokens for event streams are not bound: leave out the DPoP header.');
    return;
  }
  if (!proof) throw new errors.InvalidDpopProof('The scope graphql needs a DPoP proof (RFC 9449).');
  // Verified before; the server alone would take a wider window than the doors do.
  if (Math.abs(Date.now() / 1000 - Number(decodeJwt(proof).iat)) > PROOF_WINDOW_S)
    throw new errors.InvalidDpopProof(undefined, 'DPoP proof iat is not recent enough');
}

async function clientOf(clients: ClientDirectory, clientId: string | undefined): Promise<Client> {
  const id = parseClientId(clientId);
  const client = id && (await clients.find(id));
  // Suspended since the request began.
  if (!client) throw new errors.InvalidClientAuth('client not found');
  return client;
}

function claimsOf({ roles, principal }: Client): Record<string, unknown> {
  return { roles, ...(principal.kind === 'member' ? { member_id: principal.memberId } : {}) };
}
