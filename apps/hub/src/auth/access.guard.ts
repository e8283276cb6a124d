import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { GqlExecutionContext } from '@nestjs/graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { Refusals } from '@app/audit';
import { AccessTokens, challengeOf, GRAPHQL_DOOR, mayDo, SSF_DOOR, type Caller, type Operation } from '@app/identity';
import { BongsuError } from '@app/protocol';
import { Gatekeeper } from '../limits/gatekeeper.js';
import { OPERATION, PUBLIC, requestOf, type AuthedRequest } from './allow.decorator.js';

/** Verifies the access token and the permission of whatever is called. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: AccessTokens,
    private readonly gatekeeper: Gatekeeper,
    private readonly refusals: Refusals,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const operation = this.reflector.get<Operation | typeof PUBLIC | undefined>(OPERATION, context.getHandler());
    if (operation === PUBLIC) return true;
    const request = requestOf(context);
    // Routes beside GraphQL serve a member's own stream of events.
    const door = context.getType<string>() === 'graphql' ? GRAPHQL_DOOR : SSF_DOOR;
    // Once per request, whatever it holds: a proof counts once, and a refusal is recorded once.
    request.verifying ??= this.gatekeeper.admit(request, door === GRAPHQL_DOOR, () =>
      this.tokens.verify(door, {
        authorization: single(request, 'authorization'),
        proof: single(request, 'dpop'),
        method: request.method,
      }),
    );
    request.caller = await request.verifying.catch((error: unknown) => {
      if (error instanceof BongsuError && error.code === 'UNAUTHENTICATED')
        request.res?.setHeader('WWW-Authenticate', challengeOf(door));
      throw error;
    });
    if (!operation || !mayDo(request.caller.roles, operation)) await this.refuse(context, request.caller);
    return true;
  }

  private async refuse(context: ExecutionContext, { principal, roles }: Caller): Promise<never> {
    const subject = calledIn(context);
    await this.refusals.record(principal, { action: 'access.forbidden', subject, detail: { roles } });
    throw new BongsuError('FORBIDDEN', 'Your role may not do this.');
  }
}

/** What is called, as an auditor knows it: `Mutation.addMember`, `PollController.poll`. */
function calledIn(context: ExecutionContext): string {
  if (context.getType<string>() !== 'graphql') return `${context.getClass().name}.${context.getHandler().name}`;
  const { parentType, fieldName } = GqlExecutionContext.create(context).getInfo<GraphQLResolveInfo>();
  return `${parentType.name}.${fieldName}`;
}

function single(request: AuthedRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
