import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AccessTokens, mayDo, type Operation, type Scope } from '@app/identity';
import { BongsuError } from '@app/protocol';
import { OPERATION, PUBLIC, requestOf } from './allow.decorator.js';

/** What routes beside GraphQL serve: a member's own stream of events. */
const EVENT_SCOPES: readonly Scope[] = ['ssf.read', 'ssf.manage'];

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
    // Once per request, whatever it holds: a refusal is recorded once too.
    request.verifying ??= this.tokens.verify(bearerOf(request.headers['authorization']), request.ip);
    const caller = await request.verifying;
    request.caller = caller;
    const scopes: readonly Scope[] = context.getType<string>() === 'graphql' ? ['graphql'] : EVENT_SCOPES;
    if (!scopes.some((scope) => caller.scopes.includes(scope)))
      throw new BongsuError('FORBIDDEN', `The token needs the scope ${scopes.join(' or ')}.`);
    if (!operation || !mayDo(caller.roles, operation)) throw new BongsuError('FORBIDDEN', 'Your role may not do this.');
    return true;
  }
}

function bearerOf(header: string | string[] | undefined): string | undefined {
  const match = typeof header === 'string' ? /^Bearer ([A-Za-z0-9._~+/-]+=*)$/.exec(header) : null;
  return match?.[1];
}
