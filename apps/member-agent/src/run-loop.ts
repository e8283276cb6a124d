import { writeFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent, Note } from './agent.js';
import { Poller } from './receive/poller.js';
import { PushListener } from './receive/push-listener.js';
import { diskTrouble } from './state/disk-trouble.js';
import { agentStatus } from './status.js';

/** How long the hub may hold a poll open, real milliseconds. */
const POLL_WAIT_MS = 20_000;
/** How often the alliance's warning lists are followed, and how soon again after a failure, real milliseconds. */
const LISTS_EVERY_MS = 600_000;
const LISTS_RETRY_MS = 30_000;
/** How long reading waits at most for the first lists, real milliseconds. */
const FIRST_LISTS_MS = 5_000;
/** How often at most the status file is written, real milliseconds. */
const STATUS_EVERY_MS = 200;

/** Everything that `run` does, until it is stopped: reads, sends, receives, acts, reports. */
export class RunLoop {
  private stopping = false;
  private readonly aborter = new AbortController();
  private wake: (() => void) | null = null;
  private listener: PushListener | null = null;
  private readonly poller: Poller;
  private loops: Promise<void>[] = [];
  private statusAt = -Infinity;
  private firstLists: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly agent: Agent,
    private readonly note: Note,
  ) {
    this.poller = new Poller(agent.doors.hub, agent.receiver, note);
  }

  /** Where the agent's own door is; null without one. */
  get url(): string | null {
    return this.listener?.url ?? null;
  }

  /** @throws {BongsuError} CONFIG_INVALID when its address cannot be had */
  async start(): Promise<void> {
    const { agent, note } = this;
    const { listen, pushAuthorization, receive, loopMs } = agent.config;
    if (listen !== null)
      this.listener = await PushListener.open({
        ...listen,
        authorization: pushAuthorization,
        receiver: agent.receiver,
        status: () => agentStatus(agent),
        received: () => this.wake?.(),
        note,
      });
    this.loops.push(this.followLists());
    this.loops.push(this.repeat('reading', loopMs, () => this.collect()));
    this.loops.push(this.repeat('re-enrolling', loopMs * 10, () => agent.epochs.round(() => this.stopping)));
    this.loops.push(this.repeat('sending', loopMs, async () => void (await agent.sender.drain(() => this.stopping))));
    this.loops.push(this.repeat('acting', loopMs, () => this.act(), true));
    if (receive === 'poll') this.loops.push(this.repeat('polling', 10, () => this.poll()));
  }

  /** Ends every loop after the step it is in, commits what was read, and closes the agent. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.aborter.abort();
    this.wake?.();
    await this.listener?.close();
    await Promise.all(this.loops);
    await this.agent.collector.commit().catch((error: Error) => this.note(`Not committed: ${error.message}`));
    await this.writeStatus().catch(() => {});
    await this.agent.close();
  }

  /** What is read before the first lists have come would go without their labels, or by a clock that nobody compared. */
  private async followLists(): Promise<void> {
    const { agent, note } = this;
    const follow = async () => {
      const before = agent.lists.trouble;
      await agent.followLists().catch((error: Error) => note(`Warning lists cannot be kept: ${error.message}`));
      if (agent.lists.trouble !== null && before === null) note(agent.lists.trouble);
    };
    const first = follow();
    this.firstLists = Promise.race([first, this.sleep(FIRST_LISTS_MS)]);
    await first;
    while (!this.stopping) {
      await this.sleep(agent.lists.trouble === null ? LISTS_EVERY_MS : LISTS_RETRY_MS);
      if (!this.stopping) await follow();
    }
  }

  private async collect(): Promise<void> {
    await this.firstLists;
    const { epochs } = this.agent;
    if (epochs.turning) await epochs.goOver(() => this.stopping);
    let more = !epochs.turning;
    while (more && !this.stopping) {
      more = (await this.agent.collector.round()) && !epochs.turning;
      await this.writeStatus();
    }
  }

  private async act(): Promise<void> {
    await this.agent.actAndReport();
    await this.agent.dropOldKey();
  }

  private async poll(): Promise<void> {
    if (this.poller.wait > 0) return this.sleep(this.poller.wait);
    if ((await this.poller.round(POLL_WAIT_MS, this.aborter.signal)) > 0) this.wake?.();
  }

  private async repeat(what: string, pauseMs: number, step: () => Promise<void>, wakeable = false): Promise<void> {
    let failures = 0;
    while (!this.stopping) {
      try {
        await step();
        if (this.agent.faults.delete(what)) this.note(`${what} works again.`);
        failures = 0;
      } catch (error) {
        // A full disk, a file that may not be read: said once, and tried again, more slowly each time.
        const text = `${what} failed and is tried again: ${diskTrouble(error) ?? (error as Error).message}`;
        if (this.agent.faults.get(what) !== text) this.note(text);
        this.agent.faults.set(what, text);
        failures++;
      }
      await this.sleep(Math.min(60_000, pauseMs * 2 ** Math.min(failures, 10)), wakeable);
    }
  }

  private sleep(ms: number, wakeable = false): Promise<void> {
    if (this.stopping) return Promise.resolve();
    return new Promise((done) => {
      const end = () => {
        clearTimeout(timer);
        this.aborter.signal.removeEventListener('abort', end);
        if (wakeable) this.wake = null;
        done();
      };
      const timer = setTimeout(end, ms);
      this.aborter.signal.addEventListener('abort', end);
      if (wakeable) this.wake = end;
    });
  }

  private async writeStatus(): Promise<void> {
    if (performance.now() - this.statusAt < STATUS_EVERY_MS && !this.stopping) return;
    const path = join(this.agent.config.stateDir, 'status.json');
    await writeFile(`${path}.new`, JSON.stringify(await agentStatus(this.agent), null, 1), { mode: 0o600 });
    await rename(`${path}.new`, path);
    this.statusAt = performance.now();
  }
}
