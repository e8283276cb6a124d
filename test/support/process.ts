import { fork } from 'node:child_process';

/** A process of the build, as a supervisor runs it. */
export interface RunningProcess {
  url: string;
  /** Where it shows its metrics. */
  metrics: string;
  /** What it wrote so far. */
  output(): string;
  /** Sends SIGTERM and waits. @returns the exit code, null where it had to be killed */
  terminate(): Promise<number | null>;
}

/** Starts `dist/apps/<app>/src/main.js` and waits until it serves. @throws {Error} with its output when it ends first */
export async function startProcess(app: string, env: Record<string, string>): Promise<RunningProcess> {
  const child = fork(`dist/apps/${app}/src/main.js`, [], {
    env: { PATH: process.env['PATH'], METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (output += part.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const ready = await Promise.race([
    new Promise<{ url?: string; metrics: string }>((resolve) => child.once('message', resolve as never)),
    ended.then((code) => {
      throw new Error(`${app} ended (${code}): ${output}`);
    }),
  ]);
  return {
    url: ready.url ?? '',
    metrics: ready.metrics,
    output: () => output,
    terminate: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
