import { fork, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FakeBlinder, FakeHub } from '@app/member-sdk';
import { stringify } from 'yaml';

/** An agent of the build as a process of its own, on a folder of its own, at doors that the test holds. */
export class AgentProcesses {
  readonly config: string;
  readonly state: string;
  private readonly running = new Set<ChildProcess>();

  /**
   * @param folder where configuration, key and state are written
   * @param settings what the configuration says beside who, where and with which key
   * @param env for every process
   */
  constructor(
    folder: string,
    hub: FakeHub,
    blinder: FakeBlinder,
    settings: object,
    private readonly env: Record<string, string> = {},
  ) {
    this.config = join(folder, 'agent.yaml');
    this.state = join(folder, 'state');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(folder, 'key.jwk'), JSON.stringify(privateKey.export({ format: 'jwk' })), { mode: 0o600 });
    const publicKey = Buffer.from(blinder.publicKey).toString('base64url');
    const config = {
      member: 'upbit',
      hub: { url: hub.url },
      blinders: [{ url: blinder.url, publicKeys: { 1: publicKey } }],
      keyFile: 'key.jwk',
      stateDir: 'state',
      legalBasis: 'contract_terms',
      network: 'field',
      loopMilliseconds: 20,
      inputs: [],
      ...settings,
    };
    writeFileSync(this.config, stringify(config));
  }

  /**
   * Starts a command.
   * @param preload a module that the process loads first
   */
  start(args: string[], env: Record<string, string> = {}, preload?: string): AgentProcess {
    const child = fork('dist/apps/member-agent/src/main.js', [...args, '--config', this.config], {
      env: { PATH: process.env['PATH'], LOG_LEVEL: 'warn', ...this.env, ...env },
      execArgv: preload === undefined ? [] : ['--import', preload],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.running.add(child);
    child.once('exit', () => this.running.delete(child));
    return new AgentProcess(child);
  }

  /** Ends what still runs. */
  killAll(): void {
    for (const child of this.running) child.kill('SIGKILL');
  }
}

/** One process of the agent. */
export class AgentProcess {
  output = '';
  /** Whether `run` has said that everything is set up. */
  ready = false;
  /** The signal or exit code that it ended with, once its output is complete. */
  readonly ended: Promise<number | string>;

  constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (part: Buffer) => (this.output += part.toString()));
    child.once('message', () => (this.ready = true));
    this.ended = new Promise((done) => child.once('close', (code, signal) => done(code ?? signal!)));
  }

  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string> {
    this.child.kill(signal);
    return this.ended;
  }
}
