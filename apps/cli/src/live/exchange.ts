import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { BongsuError, type KeyRecord } from '@app/protocol';
import { freePort } from '@app/infrastructure/database';
import type { HubApi } from '../api/hub-api.js';
import { readJoining, registerMember } from '../api/joining.js';
import { listMember } from '../blinder-list/files.js';
import { Child } from '../stack/child.js';
import type { Stack } from '../stack/stack.js';

const AGENT = 'apps/member-agent/src/main.js';

export interface ExchangeOptions {
  name: string;
  /** How recommendations reach it. */
  receive: 'push' | 'poll';
  /** What it feeds its agent: hourly summaries, or a gateway's access log. */
  input: 'usage' | 'nginx';
  /** The exchange's hook; without one the agent acts on nothing (dry-run). */
  hookUrl?: string;
}

/** What an agent says of itself at its own door; the part that is looked at here. */
export interface AgentStatus {
  caughtUp: boolean;
  sent: { batches: number; accepted: number; rejected: number };
  inputs: { input: string; lines: number; counted: number; refused: Record<string, number> }[];
  pendingHours: number;
  troubles: string[];
  act: 'dry-run' | 'live';
  received: number;
  acted: number;
  executed: number;
  declined: number;
  toReport: number;
  waiting: { id: string }[];
}

/** A member exchange that takes part: a folder with its files, and its agent as a process. */
export class Exchange {
  private agent: Child | null = null;
  private agentUrl = '';
  readonly folder: string;
  readonly feedFile: string;
  private readonly keysFile: string;
  private readonly configFile: string;

  constructor(
    private readonly stack: Stack,
    readonly options: ExchangeOptions,
  ) {
    this.folder = join(stack.options.folder, 'exchanges', options.name);
    this.feedFile = join(this.folder, options.input === 'usage' ? 'usage.jsonl' : 'access.log');
    this.keysFile = join(this.folder, 'keys.jsonl');
    this.configFile = join(this.folder, 'agent.yaml');
  }

  get name(): string {
    return this.options.name;
  }

  /** Joins as a member would: `agent init`, then the alliance registers what it printed. */
  async join(staff: HubApi): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.feedFile, '');
    writeFileSync(this.keysFile, '');
    const { name, receive, input, hookUrl } = this.options;
    await this.run([
      ...['init', '--member', name, '--hub', this.stack.hubUrl],
      ...this.stack.blinderUrls.flatMap((url) => ['--blinder', url]),
      ...(input === 'usage' ? ['--usage', this.feedFile] : ['--gateway', this.feedFile, '--preset', 'nginx']),
      // Addresses are made up: what a table says of them would be chance.
      ...['--network', 'field'],
      ...['--keys', this.keysFile, '--receive', receive, '--listen', `127.0.0.1:${await freePort()}`],
      ...(hookUrl
        ? ['--hook-url', hookUrl, '--hook-idempotent', '--act', 'live', '--expire', 'auto', '--cap', '100000']
        : []),
      ...['--loop', '200'],
    ]);
    const joining = readJoining(join(this.folder, 'join.json'));
    await registerMember(staff, joining);
    await listMember(this.stack.identities, joining.name, joining.jwk, new Date());
  }

  async start(): Promise<void> {
    this.agent = new Child(
      `${this.name}'s agent`,
      AGENT,
      ['run', '--config', this.configFile],
      this.stack.env(),
      this.stack.log(`agent-${this.name}`),
    );
    this.agentUrl = (await this.agent.ready()) ?? '';
  }

  async stop(): Promise<void> {
    await this.agent?.stop();
  }

  /** Runs one of the agent's commands. @returns what it printed */
  run(args: string[]): Promise<string> {
    return Child.run(
      `agent ${args[0]} of ${this.name}`,
      AGENT,
      [...args, '--config', this.configFile],
      this.stack.env(),
    );
  }

  /** Adds lines to the file that the agent follows. */
  feed(lines: string): void {
    if (lines !== '') appendFileSync(this.feedFile, lines);
  }

  /** Replaces the key list, as an exchange's nightly export would. */
  setKeys(keys: readonly KeyRecord[]): void {
    writeFileSync(`${this.keysFile}.new`, keys.map((key) => `${JSON.stringify(key)}\n`).join(''));
    renameSync(`${this.keysFile}.new`, this.keysFile);
  }

  /** @throws {BongsuError} UNAVAILABLE when the agent has ended */
  async status(): Promise<AgentStatus> {
    if (!this.agent?.running)
      throw new BongsuError(
        'UNAVAILABLE',
        `${this.name}'s agent has ended; its log: ${this.stack.log(`agent-${this.name}`) ?? 'above'}`,
      );
    const { body, statusCode } = await request(new URL('/status', this.agentUrl));
    if (statusCode !== 200)
      throw new BongsuError('UNAVAILABLE', `${this.name}'s agent answers its status with HTTP ${statusCode}.`);
    return (await body.json()) as AgentStatus;
  }
}
