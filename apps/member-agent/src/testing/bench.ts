import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeBlinder, FakeHub } from '@app/member-sdk';
import { exportJWK, generateKeyPair } from 'jose';
import { Agent } from '../agent.js';
import type { AgentConfig, InputConfig } from '../config/agent-config.js';

/** The time at which specs stand unless they say otherwise. */
export const SPEC_TIME = Date.parse('2026-06-10T00:00:00Z');

/** A folder, a hub, a blinder and a clock for one spec. */
export class Bench {
  readonly clock = { at: SPEC_TIME, now: (): number => this.clock.at };
  readonly notes: string[] = [];
  readonly note = (text: string) => void this.notes.push(text);
  config: AgentConfig;

  private constructor(
    readonly dir: string,
    readonly hub: FakeHub,
    readonly blinder: FakeBlinder,
  ) {}

  static async start(): Promise<Bench> {
    const dir = await mkdtemp(join(tmpdir(), 'agent-spec-'));
    const bench = new Bench(dir, await FakeHub.start(), await FakeBlinder.start());
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const keyFile = join(dir, 'key.json');
    await writeFile(keyFile, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600 });
    bench.config = {
      file: join(dir, 'agent.yaml'),
      member: 'upbit',
      hub: { url: bench.hub.url, issuer: undefined },
      blinders: [{ url: bench.blinder.url, audience: undefined, publicKeys: new Map([[1, bench.blinder.publicKey]]) }],
      epoch: 1,
      keyFile,
      stateDir: join(dir, 'state'),
      purpose: 'key_lending_detection',
      legalBasis: 'contract_terms',
      inputs: [],
      network: 'field',
      spoolBytes: 1 << 30,
      receive: 'poll',
      listen: null,
      pushAuthorization: null,
      acting: { mode: 'dry-run', expire: 'hold', capPerHour: 20, hook: null },
      loopMs: 10,
    };
    return bench;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** An agent on the bench's state folder. */
  open(inputs: InputConfig[] = this.config.inputs): Promise<Agent> {
    return Agent.open(this.config, this.clock, inputs, this.note);
  }

  /** Reads to the end and sends. */
  async pushAll(agent: Agent, atEnd = true): Promise<void> {
    while (await agent.collector.round(atEnd));
    await agent.collector.commit();
    await agent.sender.drain();
  }

  async stop(): Promise<void> {
    await this.hub.stop();
    await this.blinder.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}
