import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { clockFromEnv } from '@app/infrastructure/clock';
import { freePort, type EmbeddedServer } from '@app/infrastructure/database';
import { BongsuError, publicPart } from '@app/protocol';
import { Child } from './child.js';
import { prepareDatabase } from './database.js';
import { envWith } from './env.js';
import { ensureSignedList, readJwk } from '../blinder-list/files.js';
import { ensureIdentities, ensureSeed, refuseInProduction, STAFF_NAME, type Identities } from './identities.js';

const HUB = 'apps/hub/src/main.js';
const WORKER = 'apps/worker/src/main.js';
const BLINDER = 'apps/blinder/src/main.js';

export interface StackOptions {
  /** Where keys, the blinder's state and logs live. */
  folder: string;
  /** Where the embedded PostgreSQL lives; unused with `databaseUrl`. */
  postgresFolder: string;
  /** A PostgreSQL to use instead of the embedded one: what processes log in with. */
  databaseUrl: string | undefined;
  hubPort: number;
  blinderPort: number;
  /** How many hold a key, one after the other; one unless given. The second takes a free port. */
  blinders?: number;
  /** Simulated time for every process. */
  clockFile?: string;
  /** Elements that a member may have blinded a day. */
  blinderQuota?: number;
  /** False: each process writes to a file below `folder`. */
  logToConsole: boolean;
  onStep?: (what: string) => void;
}

/** Hub, worker and blinder as processes, with their PostgreSQL. */
export class Stack {
  private readonly children: Child[] = [];
  private postgres: EmbeddedServer | null = null;
  private booting: Promise<void> = Promise.resolve();
  private reviving: Promise<void> = Promise.resolve();
  private stopping = false;
  readonly identities: Identities;
  hubUrl = '';
  /** In the order in which members ask them. */
  blinderUrls: string[] = [];

  /** @throws {BongsuError} CONFIG_INVALID in production, and for a simulated clock where every process would refuse it */
  constructor(readonly options: StackOptions) {
    refuseInProduction(process.env);
    clockFromEnv(this.env());
    mkdirSync(join(options.folder, 'logs'), { recursive: true });
    this.identities = ensureIdentities(join(options.folder, 'keys'), options.blinders ?? 1);
  }

  /** Starts everything. Whoever calls this also calls {@link stop}, also when it fails. */
  start(): Promise<void> {
    this.booting = this.boot();
    return this.booting;
  }

  /**
   * Environment of a process of this stack: ours, without what would contradict it and without secrets, and the shared
   * clock.
   */
  env(more: Record<string, string> = {}, keep: readonly string[] = []): NodeJS.ProcessEnv {
    const { clockFile } = this.options;
    return envWith(process.env, { ...(clockFile ? { CLOCK_FILE: clockFile } : {}), ...more }, keep);
  }

  log(name: string): string | undefined {
    return this.options.logToConsole ? undefined : join(this.options.folder, 'logs', `${name}.log`);
  }

  /** Where each process that shows metrics does so. */
  get metricsDoors(): { name: string; url: string }[] {
    return this.children.flatMap(({ name, metricsUrl }) => (metricsUrl ? [{ name, url: metricsUrl }] : []));
  }

  /** Calls back when a process of the stack ends by itself: not when it is stopped. */
  onExit(then: (what: string) => void): void {
    for (const child of this.children)
      child.onExit((what) => {
        if (!this.stopping) then(what);
      });
  }

  /** Ends everything that was started, in whatever phase. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.children.map((child) => child.stop()));
    await this.booting.catch(() => undefined);
    await Promise.all(this.children.map((child) => child.stop()));
    await this.reviving;
    await this.postgres?.stop();
  }

  /** Starts the embedded PostgreSQL again if it is gone; a failure is left for the next call. */
  async revivePostgres(): Promise<void> {
    if (this.stopping || !this.postgres) return;
    this.reviving = this.postgres.revive().catch(() => undefined);
    await this.reviving;
  }

  private async boot(): Promise<void> {
    const step = this.options.onStep ?? (() => undefined);
    const { databaseUrl, postgresFolder } = this.options;
    step(databaseUrl ? 'migrating the database' : 'starting PostgreSQL');
    const password = this.identities.databasePassword;
    const { loginUrl } = await prepareDatabase(databaseUrl, postgresFolder, password, process.env, (server) => {
      this.postgres = server;
    });
    const operator = { name: STAFF_NAME, key: publicPart(readJwk(this.identities.staffKeyFile)) };
    await ensureSignedList(this.identities, operator, new Date());
    step('starting hub, worker and blinder');
    const port = this.options.hubPort || (await freePort());
    this.hubUrl = `http://127.0.0.1:${port}`;
    const { identities } = this;
    const common = {
      DATABASE_URL: loginUrl,
      HUB_SIGNING_KEY_FILE: identities.signingKeyFile,
      HUB_ISSUER: process.env['HUB_ISSUER'] ?? this.hubUrl,
    };
    const hub = this.startChild('hub', HUB, { ...common, HUB_PORT: String(port), PEOPLE_FILE: identities.peopleFile });
    const worker = this.startChild('worker', WORKER, common);
    const blinders = identities.blinderKeyFiles.map((keyFile, i) => {
      const name = i === 0 ? 'blinder' : `blinder-${i + 1}`;
      ensureSeed(keyFile, join(this.options.folder, name));
      return this.startChild(name, BLINDER, {
        BLINDER_PORT: String(i === 0 ? this.options.blinderPort : 0),
        BLINDER_KEY_FILE: keyFile,
        BLINDER_ALLIANCE_KEY_FILE: identities.alliancePublicKeyFile,
        BLINDER_MEMBERS_FILE: identities.blinderMembersFile,
        BLINDER_STATE_DIR: join(this.options.folder, name),
        ...(this.options.blinderQuota ? { BLINDER_DAILY_QUOTA: String(this.options.blinderQuota) } : {}),
      });
    });
    const started = await Promise.allSettled([hub, worker, ...blinders]);
    for (const result of started) if (result.status === 'rejected') throw result.reason;
    this.blinderUrls = (await Promise.all(blinders)).map((url) => url ?? '');
  }

  private async startChild(name: string, module: string, env: Record<string, string>): Promise<string | undefined> {
    if (this.stopping) throw new BongsuError('UNAVAILABLE', 'Interrupted.');
    // Where the queue is on Redis, who works with the database also works with that.
    const keep = 'DATABASE_URL' in env ? ['REDIS_URL'] : [];
    // One port cannot serve three processes: each takes a free one, where metrics are asked for.
    const metrics: Record<string, string> = process.env['METRICS_PORT'] ? { METRICS_PORT: '0' } : {};
    const child = new Child(name, module, [], this.env({ ...env, ...metrics }, keep), this.log(name));
    this.children.push(child);
    return child.ready();
  }
}

/** How many hold a key, as a person gave it. @throws {BongsuError} BAD_INPUT */
export function holders(text: string): 1 | 2 {
  if (text === '1' || text === '2') return text === '1' ? 1 : 2;
  throw new BongsuError('BAD_INPUT', `--blinders is 1 or 2, not "${text}".`, '--blinders');
}
