import { Body, Controller, Get, Header, HttpCode, Ip, Post } from '@nestjs/common';
import { TokenIssuer, type TokenRequest, type TokenResponse } from '@app/identity';
import { SigningKeys } from '@app/keys';
import { HubIssuer } from '@app/recommendations';
import { Allow, PUBLIC } from '../auth/allow.decorator.js';

/** The hub as authorization server: token endpoint, metadata (RFC 8414), keys. */
@Controller()
export class OauthController {
  constructor(
    private readonly tokens: TokenIssuer,
    private readonly keys: SigningKeys,
    private readonly issuer: HubIssuer,
  ) {}

  @Allow(PUBLIC)
  @Post('oauth/token')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  token(@Body() form: TokenRequest | undefined, @Ip() from: string): Promise<TokenResponse> {
    return this.tokens.grant(form ?? {}, from);
  }

  @Allow(PUBLIC)
  @Get('.well-known/oauth-authorization-server')
  metadata() {
    const { url } = this.issuer;
    return {
      issuer: url,
      token_endpoint: `${url}/oauth/token`,
      jwks_uri: `${url}/.well-known/jwks.json`,
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'EdDSA'],
    };
  }

  @Allow(PUBLIC)
  @Get('.well-known/jwks.json')
  @Header('Cache-Control', 'public, max-age=60')
  jwks() {
    return this.keys.jwks();
  }
}
