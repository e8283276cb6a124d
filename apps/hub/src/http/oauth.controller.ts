import { Controller, Get, Header, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AuthorizationServer, SCOPES } from '@app/identity';
import { SigningKeys } from '@app/keys';
import { HubIssuer } from '@app/recommendations';
import { Allow, PUBLIC } from '../auth/allow.decorator.js';

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
}
