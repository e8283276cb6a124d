import { Controller, Get, Header, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AuthorizationServer, SCOPES } from '@app/identity';
import { SigningKeys } from '@app/keys';
import { HubIssuer } from '@app/recommendations';
import { Allow, PUBLIC } from '../auth/allow.decorator.js';

const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);

/** The hub as authorization server: token endpoint, metadata (RFC 8414), keys. */
@Controller()
export class OauthController {
  constructor(
    private readonly server: AuthorizationServer,
    private readonly keys: SigningKeys,
    private readonly issuer: HubIssuer,
  ) {}

  @Allow(PUBLIC)
  @Post('oauth/token')
  token(@Req() request: Request, @Res() response: Response): Promise<void> {
    return this.server.token(request, response);
  }

  @Allow(PUBLIC)
  @Get('.well-known/oauth-authorization-server')
  metadata() {
    const { url } = this.issuer;
    return {
      issuer: url,
      token_endpoint: `${url}/oauth/token`,
      jwks_uri: `${url}/.well-known/jwks.json`,
      scopes_supported: SCOPES,
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'EdDSA'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA'],
    };
  }

  @Allow(PUBLIC)
  @Get('.well-known/jwks.json')
  @Header('Cache-Control', 'public, max-age=60')
  jwks() {
    return this.keys.jwks();
  }

  /**
   * Keys that sign no more, with the time that each was in use (`iat`, `exp`, seconds; `revoked` where it was stolen; the
   * form of OpenID Federation 1.0, section 8.7): a report outlives the key that signed it.
   */
  @Allow(PUBLIC)
  @Get('.well-known/retired-jwks.json')
  @Header('Cache-Control', 'public, max-age=60')
  async retired() {
    const retired = (await this.keys.all()).filter((key) => key.retiredAt !== null);
    return {
      keys: retired.map(({ jwk, createdAt, retiredAt, stolen }) => ({
        ...jwk,
        iat: seconds(createdAt),
        exp: seconds(retiredAt!),
        ...(stolen ? { revoked: { revoked_at: seconds(retiredAt!), reason: 'compromised' } } : {}),
      })),
    };
  }
}
