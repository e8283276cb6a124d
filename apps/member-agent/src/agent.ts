import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@app/infrastructure/clock';
import {
  BlinderClient,
  describeOffset,
  EventVerifier,
  HubClient,
  MAX_ALLOWANCE_MS,
  Tokenizer,
  type BatchReceipt,
  type KeyRing,
} from '@app/member-sdk';
import { Actor } from './acting/actor.js';
import { Journal } from './acting/journal.js';
import { Reporter } from './acting/reporter.js';
import type { AgentConfig } from './config/agent-config.js';
import { EpochChange } from './epochs/epoch-change.js';
import { readEpochs, writeEpochs } from './epochs/epoch-file.js';
import { ownersIn } from './epochs/owners.js';
import { openSource } from './input/open-source.js';
import type { Source } from './input/source.js';
import { WarningLists } from './lists/warning-lists.js';
import { Collector } from './pipeline/collector.js';
import { Labels } from './pipeline/labels.js';
import { rejectedRows, type RejectedRow } from './pipeline/rejected-rows.js';
import { Sender } from './pipeline/sender.js';
import { Spool, type SpooledBatch } from './pipeline/spool.js';
import { Receiver } from './receive/receiver.js';
import { StateStore } from './state/agent-state.js';
import { AppendLog } from './state/append-log.js';
import { DiskTokenCache } from './state/disk-token-cache.js';
import { exists, makeFolder } from './state/files.js';
import { StateLock } from './state/lock.js';
import { MemberKeyFiles } from './state/member-keys.js';
import { PartFiles } from './state/part-files.js';
import { RefusedLines } from './state/refused-lines.js';
import { shortenTokens } from './state/shorten-tokens.js';
import { SwitchBoard } from './state/switches.js';

/** Bytes of refused rows after which a new file is begun at the next start. */
const MAX_REJECTIONS_BYTES = 32 * 1024 * 1024;

/** Says something to the person who runs the agent. */
export type Note = (text: string) => void;

/** Follows work in the agent's log: what it is about, with the ids that the hub's log has too, and what happened. */
export type Trace = (about: object, text: string) => void;

/** Calls to the hub and the blinders in this member's name. */
export interface Doors {
  hub: HubClient;
  blinders: BlinderClient[];
  keys: MemberKeyFiles;
}

/** @throws {BongsuError} CONFIG_INVALID for a key file that cannot be used */
export async function openDoors(config: AgentConfig): Promise<Doors> {
  const keys = new MemberKeyFiles(config.keyFile);
  await keys.look();
  return {
    hub: openHub(config, keys),
    keys,
    blinders: config.blinders.map(
      ({ url, audience, publicKeys }) =>
        new BlinderClient({
          url,
          publicKeys,
          member: config.member,
          key: keys,
          ...(audience === undefined ? {} : { audience }),
        }),
    ),
  };
}

/** The hub in this member's name. @param key what to sign with */
export function openHub({ hub, member }: AgentConfig, key: KeyRing): HubClient {
  return new HubClient({ url: hub.url, ...(hub.issuer === undefined ? {} : { issuer: hub.issuer }), member, key });
}

export async function closeDoors({ hub, blinders }: Doors): Promise<void> {
  await hub.close();
  for (const blinder of blinders) await blinder.close();
}

/**
 * Why lines cannot be judged by this machine's clock; null while they can. Only a clock that lags would refuse good lines.
 */
function clockTrouble({ clockOffsetMs }: HubClient, now: number): string | null {
  const simulated = Math.abs(now - Date.now()) > 60_000;
  if (simulated || clockOffsetMs === null || clockOffsetMs <= MAX_ALLOWANCE_MS) return null;
  return `Nothing is read: lines would be refused as lying in the future, since ${describeOffset(clockOffsetMs)}.`;
}

/** The agent's parts, put together on one state folder that no other process works on meanwhile. */
export class Agent {
  /** What failed in `run` and is being tried again, by its name: in words. */
  readonly faults = new Map<string, string>();

  private constructor(
    readonly config: AgentConfig,
    readonly clock: Clock,
    readonly doors: Doors,
    readonly store: StateStore,
    readonly spool: Spool,
    readonly cache: DiskTokenCache,
    readonly sources: Source[],
    readonly lists: WarningLists,
    readonly labels: Labels,
    readonly collector: Collector,
    readonly sender: Sender,
    readonly journal: Journal,
    readonly receiver: Receiver,
    readonly actor: Actor,
    readonly reporter: Reporter,
    readonly switches: SwitchBoard,
    readonly refused: RefusedLines,
    readonly epochs: EpochChange,
    private readonly rejections: AppendLog<RejectedRow>,
    private readonly lock: StateLock,
    private readonly note: Note,
  ) {}

  /**
   * @param inputs what to read; the configuration's own inputs for `run`
   * @param trace for `run`, whose output is a log; commands speak to a person
   * @throws {BongsuError} CONFIG_INVALID, UNAVAILABLE while another agent works on the state folder
   */
  static async open(
    config: AgentConfig,
    clock: Clock,
    inputs: AgentConfig['inputs'],
    note: Note,
    trace: Trace = () => {},
  ): Promise<Agent> {
    await makeFolder(config.stateDir);
    const lock = await StateLock.take(config.stateDir);
    try {
      return await Agent.assemble(config, clock, inputs, note, trace, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  private static async assemble(
    config: AgentConfig,
    clock: Clock,
    inputs: AgentConfig['inputs'],
    note: Note,
    trace: Trace,
    lock: StateLock,
  ): Promise<Agent> {
    const { stateDir, member } = config;
    const now = () => clock.now();
    const doors = await openDoors(config);
    const store = await StateStore.open(stateDir);
    const { state } = store;
    const spool = await Spool.open(stateDir, state.nextBatch, state.answered);
    const parts = await PartFiles.open(stateDir, state);
    await shortenTokens(join(stateDir, 'tokens.jsonl'), config.epoch);
    const cache = await DiskTokenCache.open(join(stateDir, 'tokens.jsonl'), config.epoch);
    const journal = await Journal.openShort(join(stateDir, 'journal.jsonl'), clock.now());
    const rejections = await openRejections(join(stateDir, 'rejections.jsonl'));
    const refused = await RefusedLines.open(stateDir, state.refusedBytes);
    const switches = new SwitchBoard(stateDir);
    const tokenizer = new Tokenizer({ member, epoch: config.epoch, blinders: doors.blinders, cache });
    const sources: Source[] = [];
    for (const input of inputs) sources.push(await openSource(input, state, parts));
    const lists = await WarningLists.open(WarningLists.folderIn(stateDir));
    const labels = new Labels(config.network, lists, now);
    const { purpose, legalBasis, spoolBytes } = config;
    const collector = await Collector.open({
      sources, labels, tokenizer, spool, store, parts, refused, purpose, legalBasis, spoolBytes, now, note,
      clockTrouble: () => clockTrouble(doors.hub, clock.now()),
    }); // prettier-ignore
    let memory = await readEpochs(stateDir);
    if (memory === null) {
      memory = { current: config.epoch, keys: {} };
      await writeEpochs(stateDir, memory);
    }
    const keyLists = config.inputs.flatMap((input) => (input.kind === 'keys' ? [input.path] : []));
    const epochs = new EpochChange({
      hub: doors.hub, blinders: doors.blinders, tokenizer, cache, member, memory, note,
      owners: async () => (await Promise.all(keyLists.map(ownersIn))).flat(),
      allSent: () => spool.batches === 0,
      save: (changed) => writeEpochs(stateDir, changed),
    }); // prettier-ignore
    const onReceipt = async (batch: SpooledBatch, receipt: BatchReceipt) => {
      const { accepted, rejected } = receipt;
      trace({ requestId: batch.header.batchId, accepted, rejected }, 'a batch was taken');
      epochs.taken(batch.header.batchId);
      if (receipt.rejections.length > 0) await rejections.append(...rejectedRows(batch, receipt));
    };
    const sender = new Sender(doors.hub, spool, store, onReceipt, note);
    const verifier = new EventVerifier(() => doors.hub.jwks(), doors.hub.issuer, `member:${member}`);
    const receiver = new Receiver(verifier, journal, now, trace);
    const actor = new Actor(config.acting, {
      journal, member, accessKeyOf: (token) => cache.accessKeyOf(token), stopped: () => switches.stopped, now, note,
    }); // prettier-ignore
    const reporter = new Reporter(doors.hub, journal, now, note);
    return new Agent(
      config, clock, doors, store, spool, cache, sources, lists, labels, collector, sender, journal, receiver, actor, reporter,
      switches, refused, epochs, rejections, lock, note,
    ); // prettier-ignore
  }

  /** Follows the alliance's warning lists; trouble is told in the status. */
  followLists(): Promise<void> {
    return this.lists.sync(this.doors.hub, this.clock.now());
  }

  /** Obeys the switches that commands have set, acts on what was received, reports what was done. */
  async actAndReport(): Promise<void> {
    await this.switches.obey(this.journal, this.clock.now());
    await this.actor.round();
    await this.reporter.round();
  }

  /** Removes the key before the current one as soon as no door needs it any more. */
  async dropOldKey(): Promise<void> {
    const { keys, hub, blinders } = this.doors;
    if (await keys.settle([hub.keyInUse, ...blinders.map((blinder) => blinder.keyInUse)]))
      this.note('Every door takes the new key: the one before is removed.');
  }

  /** Whether everything that the inputs hold now has been sent and answered. */
  async caughtUp(): Promise<boolean> {
    if (!this.collector.idle || this.spool.batches > 0 || this.epochs.turning) return false;
    const now = this.clock.now();
    for (const source of this.sources) if (!(await source.progress(now)).caughtUp) return false;
    // What was read while the sources were asked would have been missed above.
    return this.collector.idle && this.spool.batches === 0;
  }

  async close(): Promise<void> {
    for (const source of this.sources) await source.close();
    await this.journal.close();
    await this.cache.close();
    await this.rejections.close();
    await closeDoors(this.doors);
    await this.lock.release();
  }
}

/** Rows that the hub refused. A file that has become large makes room for a new one; the one before it is kept. */
async function openRejections(path: string): Promise<AppendLog<RejectedRow>> {
  const size = await stat(path).then((info) => info.size, () => 0); // prettier-ignore
  if (size > MAX_REJECTIONS_BYTES) await rename(path, path.replace(/\.jsonl$/, '.1.jsonl'));
  return AppendLog.open<RejectedRow>(path, () => {});
}

/** Whether an agent has ever worked on a state folder. */
export function hasState(stateDir: string): Promise<boolean> {
  return exists(join(stateDir, 'state.json'));
}
