/**
 * Runs `stop` once, on SIGINT, SIGTERM, or when the process that started this one is gone; then exits. A second
 * signal, or ten seconds, ends the process at once.
 */
export function onStop(stop: () => Promise<void>): void {
  let stopping = false;
  const handle = (code: number) => {
    if (stopping) process.exit(code || 1);
    stopping = true;
    setTimeout(() => process.exit(1), 10_000).unref();
    stop().then(
      () => process.exit(code),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', () => handle(process.send ? 0 : 130));
  process.on('SIGTERM', () => handle(0));
  if (process.send) process.on('disconnect', () => handle(0));
}

/** Tells the process that started this one, if one did, that it serves, and where. */
export function sayReady(url?: string): void {
  process.send?.({ ready: true, url });
}
