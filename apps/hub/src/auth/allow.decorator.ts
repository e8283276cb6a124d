import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import type { Caller, Operation } from '@app/identity';
import type { Principal } from '@app/infrastructure/database';
import { BongsuError } from '@app/protocol';

export const OPERATION = 'bongsu:operation';
export const PUBLIC = 'public';

/** Which permission a resolver or route needs. Without this decorator nobody gets in. */
export const Allow = (operation: Operation | typeof PUBLIC) => SetMetadata(OPERATION, operation);

/** The request behind a GraphQL or HTTP call, with the caller that the guard verified. */
export interface AuthedRequest {
  method: string;
  headers: Record<string, string | string[] | undefined>;
  res?: { setHeader(name: string, value: string): unknown };
  verifying?: Promise<Caller>;
  caller?: Caller;
  /** Whether a GraphQL request runs a document that the hub knows. */
  trustedDocument?: boolean;
  /** When a GraphQL request has taken too long, on the monotonic clock, ms. */
  deadline?: number;
}

export function requestOf(context: ExecutionContext): AuthedRequest {
  if (context.getType<string>() === 'graphql')
    return GqlExecutionContext.create(context).getContext<{ req: AuthedRequest }>().req;
  return context.switchToHttp().getRequest<AuthedRequest>();
}

function principalOf(context: ExecutionContext): Caller['principal'] {
  const { caller } = requestOf(context);
  if (!caller) throw new BongsuError('UNAUTHENTICATED', 'A valid access token is needed.');
  const { principal, roles } = caller;
  return principal.kind === 'staff' ? { ...principal, roles } : principal;
}

/** In whose name the call runs. */
export const By = createParamDecorator((_: unknown, context: ExecutionContext): Principal => principalOf(context));

/** The calling member; others are refused. */
export const ByMember = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const principal = principalOf(context);
  if (principal.kind !== 'member') throw new BongsuError('FORBIDDEN', 'This is for members.');
  return principal;
});
