import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { Response } from 'express';
import { GraphQLError } from 'graphql';
import { createLogger, reasonOf } from '@app/infrastructure/logging';
import { BongsuError, type ErrorCode } from '@app/protocol';
import { RateLimited } from '../limits/rate-limited.js';

const HTTP_STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  QUOTA_EXCEEDED: 429,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
};
const ROUTE_STATUS: Partial<Record<ErrorCode, number>> = {
  ...HTTP_STATUS,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  INTERNAL: 500,
};

/** Every failure as its stable code and plain words; what was not expected is logged and told as INTERNAL. */
@Catch()
export class ErrorsFilter implements ExceptionFilter {
  private readonly logger = createLogger('hub');

  catch(error: unknown, host: ArgumentsHost): unknown {
    if (host.getType<string>() === 'graphql') return this.toGraphql(error);
    this.answer(error, host.switchToHttp().getResponse<Response>());
    return undefined;
  }

  private toGraphql(error: unknown): GraphQLError {
    if (error instanceof GraphQLError) return error;
    const known = this.known(error);
    const { code, message, where } = known;
    const status = HTTP_STATUS[code];
    const headers =
      known instanceof RateLimited ? { headers: new Map([['retry-after', String(known.retryAfter)]]) } : {};
    return new GraphQLError(message, {
      extensions: {
        code,
        ...(where === undefined ? {} : { where }),
        ...(status ? { http: { status, ...headers } } : {}),
      },
    });
  }

  private answer(error: unknown, response: Response): void {
    if (error instanceof HttpException) {
      // Nest's own words for a path that is none repeat the path.
      const [code, message] =
        error.getStatus() === 404 ? ['NOT_FOUND', 'There is nothing here.'] : ['BAD_INPUT', error.message];
      response.status(error.getStatus()).json({ code, message });
    } else {
      const known = this.known(error);
      const { code, message, where } = known;
      if (known instanceof RateLimited) response.setHeader('Retry-After', String(known.retryAfter));
      response.status(ROUTE_STATUS[code] ?? 400).json({ code, message, where });
    }
  }

  private known(error: unknown): BongsuError {
    if (error instanceof BongsuError) return error;
    if (error instanceof HttpException && error.getStatus() < 500) return new BongsuError('BAD_INPUT', error.message);
    const sqlState = String((error as { code?: unknown } | null)?.code ?? '');
    // query_canceled: the statement's time was over.
    if (sqlState === '57014')
      return new BongsuError('UNAVAILABLE', 'The request took too long; try again later, or ask for less at once.');
    // SQLSTATE classes 22 (data exception) and 54 (limit exceeded): a value that no column can hold.
    if (/^(22|54)/.test(sqlState))
      return new BongsuError(
        'BAD_INPUT',
        'An argument holds a value that cannot be stored: a number out of range, or a NUL.',
      );
    this.logger.error(
      { reason: reasonOf(error), stack: error instanceof Error ? error.stack : undefined },
      'an error that was not expected',
    );
    return new BongsuError('INTERNAL', 'The hub made an error; it is logged. Try again, then ask the alliance.');
  }
}
