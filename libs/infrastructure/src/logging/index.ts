import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Field names whose values never reach a log. */
const SECRETS = [
  'authorization',
  'password',
  'secret',
  'access_token',
  'client_assertion',
  '*.authorization',
  '*.password',
  '*.secret',
];

/** Structured logs, JSON lines on standard output. Level by `LOG_LEVEL` (default info). */
export function createLogger(service: string): Logger {
  return pino({
    name: service,
    level: process.env['LOG_LEVEL'] ?? 'info',
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRETS, censor: '[redacted]' },
  });
}

/** What an error says, without a stack: for logs and for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}
