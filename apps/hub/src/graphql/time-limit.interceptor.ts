import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { catchError, type Observable, throwError, timeout, TimeoutError } from 'rxjs';
import { BongsuError } from '@app/protocol';
import { requestOf } from '../auth/allow.decorator.js';

/**
 * A GraphQL request has so long for all of its fields together: what is not ready then is told UNAVAILABLE, and what has
 * not begun does not begin. PostgreSQL ends its statements sooner than that by itself.
 */
@Injectable()
export class TimeLimit implements NestInterceptor {
  /** @param ms for a whole request */
  constructor(private readonly ms: number) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType<string>() !== 'graphql') return next.handle();
    const request = requestOf(context);
    request.deadline ??= performance.now() + this.ms;
    const left = request.deadline - performance.now();
    if (left <= 0) return throwError(late);
    return next.handle().pipe(
      timeout({ first: left }),
      catchError((error: unknown) => throwError(() => (error instanceof TimeoutError ? late() : error))),
    );
  }
}

function late(): BongsuError {
  return new BongsuError('UNAVAILABLE', 'The request took too long; try again later, or ask for less at once.');
}
