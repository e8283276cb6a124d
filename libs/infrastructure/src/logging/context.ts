import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** What a piece of work was asked by: carried beside it, for logs and the audit, never for decisions. */
export interface WorkContext {
  /** Follows a request through every process; 1 to 64 characters of {@link requestIdOf}'s alphabet. */
  requestId: string;
  /** Address of the caller, where there is one. */
  from?: string;
}

const storage = new AsyncLocalStorage<WorkContext>();
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Runs work, and everything that it starts, in a context. */
export function within<T>(context: WorkContext, work: () => T): T {
  return storage.run(context, work);
}

/** The context of the running work, if it has one. */
export function workContext(): WorkContext | undefined {
  return storage.getStore();
}

/** A request id that a caller chose, or a new one where it chose none that fits into a log line. */
export function requestIdOf(chosen: unknown): string {
  return typeof chosen === 'string' && REQUEST_ID.test(chosen) ? chosen : randomUUID();
}
