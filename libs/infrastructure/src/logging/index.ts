import { BongsuError } from '@app/protocol';
import { pino, type Logger } from 'pino';
import { workContext } from './context.js';

export type { Logger } from 'pino';
export * from './context.js';

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

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

function levelOf(text: string | undefined): string {
  if (text && !LEVELS.includes(text))
    throw new BongsuError(
      'CONFIG_INVALID',
      `LOG_LEVEL holds "${text.slice(0, 40)}" but needs one of ${LEVELS.join(', ')}.`,
      'LOG_LEVEL',
    );
  return text || 'info';
}

let brokenPipeHandled = false;

/**
 * Structured logs, JSON lines on standard output. Level by `LOG_LEVEL` (default info). Where nobody reads any more
 * (the process that started this one was killed) lines are dropped: pino's own destination would try them for ever.
 */
export function createLogger(service: string): Logger {
  if (!brokenPipeHandled) {
    brokenPipeHandled = true;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const options = {
    name: service,
    level: levelOf(process.env['LOG_LEVEL']),
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRETS, censor: '[redacted]' },
    mixin: () => {
      const requestId = workContext()?.requestId;
      return requestId === undefined ? {} : { requestId };
    },
  };
  return pino(options, process.stdout);
}

/** What an error says, without a stack: for logs and for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}
