import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BongsuError } from '@app/protocol';

/** dist/, where every app's compiled main lies. */
const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
const READY_MS = 120_000;
const STOP_MS = 15_000;

/** A process of ours, started as anybody would start it, that tells when it serves and ends when we are gone. */
export class Child {
  private readonly process: ChildProcess;
  private readonly said: ReturnType<typeof follow>;
  /** Where its metrics are, once it serves; undefined where it shows none. */
  metricsUrl: string | undefined;

  /** @param log a file that takes its output; without one it is ours */
  constructor(
    readonly name: string,
    module: string,
    args: string[],
    env: NodeJS.ProcessEnv,
    log?: string,
  ) {
    this.process = spawn(module, args, env);
    this.said = follow(this.process, log);
  }

  /**
   * Waits until the process serves.
   * @returns its URL, where it has one
   * @throws {BongsuError} UNAVAILABLE with the last lines it wrote, when it ends first
   */
  ready(): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const fail = (what: string) => {
        clearTimeout(timer);
        reject(new BongsuError('UNAVAILABLE', `${this.name} ${what}.${this.said.tail()}`));
      };
      const timer = setTimeout(() => {
        this.process.kill('SIGKILL');
        fail(`was not ready within ${READY_MS / 1000} s`);
      }, READY_MS);
      this.process.once('message', (message: { url?: string; metrics?: string }) => {
        clearTimeout(timer);
        this.metricsUrl = message.metrics;
        resolve(message.url);
      });
      this.process.once('close', (code, signal) =>
        fail(`ended (${signal ?? `exit code ${code}`}) before it was ready`),
      );
    });
  }

  /** Runs a process to its end. @returns what it wrote to standard output @throws {BongsuError} UNAVAILABLE when it fails */
  static async run(name: string, module: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
    const child = spawn(module, args, env);
    const said = follow(child, undefined, true);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    if (code !== 0) throw new BongsuError('UNAVAILABLE', `${name} failed (exit code ${code}).${said.tail()}`);
    return said.output();
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Calls back when the process ends by itself. */
  onExit(then: (what: string) => void): void {
    this.process.once('exit', (code, signal) => then(`${this.name} ended (${signal ?? `exit code ${code}`})`));
  }

  /** Ends the process: asked first, then forced. */
  async stop(): Promise<void> {
    if (!this.running) return;
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
  }
}

function spawn(module: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  // A group of its own, so that Ctrl-C reaches it through us, in order, and not at once.
  return fork(join(DIST, module), args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
}

/** Passes a process's output on, and remembers the end of it for messages. */
function follow(child: ChildProcess, log: string | undefined, keep = false) {
  const sink = log ? createWriteStream(log, { flags: 'a' }) : null;
  let recent = '';
  let kept = '';
  const take = (stream: NodeJS.WriteStream, isOutput: boolean) => (chunk: Buffer) => {
    recent = (recent + chunk.toString()).slice(-2000);
    if (keep && isOutput) kept += chunk.toString();
    if (sink) sink.write(chunk);
    else if (!keep) stream.write(chunk);
  };
  child.stdout?.on('data', take(process.stdout, true));
  child.stderr?.on('data', take(process.stderr, false));
  child.once('close', () => sink?.end());
  return {
    output: () => kept,
    tail: () => {
      const lines = recent.trim().split('\n').slice(-5).join('\n  ');
      return `${lines ? ` It said:\n  ${lines}` : ''}${log ? `\n  (all of it: ${log})` : ''}`;
    },
  };
}
