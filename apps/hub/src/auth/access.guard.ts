import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AccessTokens, mayDo, type Operation } from '@app/identity';
import { BongsuError } from '@app/protocol';
import { OPERATION, PUBLIC, requestOf } from './allow.decorator.js';

/** Verifies the bearer token and the permission of whatever is called. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: AccessTokens,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const operation = this.reflector.get<Operation | typeof PUBLIC | undefined>(OPERATION, context.getHandler());
    if (operation === PUBLIC) return true;
    const request = requestOf(context);
    request.caller ??= await this.tokens.verify(bearerOf(request.headers['authorization']), request.ip);
    if (!operation || !mayDo(request.caller.roles, operation))
      throw new BongsuError('FORBIDDEN', 'Your role may not do this.');
    return true;
  }
}

function bearerOf(header: string | string[] | undefined): string | undefined {
  const match = typeof header === 'string' ? /^Bearer ([A-Za-z0-9._~+/-]+=*)$/.exec(header) : null;
  return match?.[1];
}
