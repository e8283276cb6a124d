import { BongsuError } from '@app/protocol';
import { reasonOf } from '../logging/index.js';

/** Time a process has to stop in order, ms. */
const STOP_MS = 20_000;

/**
 * Runs `stop` once, on SIGINT, SIGTERM, or when the process that started this one is gone; then exits. A second
 * signal, or twenty seconds, ends the process at once.
 * @returns a function that does the same, with an exit code
 */
export function onStop(stop: () => Promise<void>): (code: number) => void {
  let stopping = false;
  const handle = (code: number) => {
    if (stopping) process.exit(code || 1);
    stopping = true;
    setTimeout(() => process.exit(1), STOP_MS).unref();
    stop().then(
      () => process.exit(code),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', () => handle(process.send ? 0 : 130));
  process.on('SIGTERM', () => handle(0));
  if (process.send) {
    process.on('disconnect', () => handle(0));
    // It may be gone already: it was killed while this process started.
    if (!process.connected) handle(0);
  }
  return handle;
}

/** Tells the process that started this one, if one did, that it serves, and where; and where its metrics are. */
export function sayReady(url?: string, metrics?: string): void {
  process.send?.({ ready: true, url, metrics });
}

/**
 * Runs a process's start. A failure is told in one line, with its code, and ends the process with exit code 1.
 * @param name of the process, for the line
 */
export async function runMain(name: string, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    const { code, message } = error instanceof BongsuError ? error : { code: 'INTERNAL', message: reasonOf(error) };
    process.stderr.write(`${name} did not start (${code}): ${message}\n`);
    process.exit(1);
  }
}
