import { shortToken, decodeToken } from '@app/member-sdk';
import type { Actor, WaitReason } from './acting/actor.js';
import type { Case } from './acting/journal.js';
import type { Agent } from './agent.js';
import type { EpochStatus } from './epochs/epoch-change.js';
import type { ListInUse } from './lists/warning-lists.js';
import type { RefusedLine } from './state/refused-lines.js';

/** One input in the status. */
export interface InputStatus {
  input: string;
  bytesRead: number;
  size: number;
  lines: number;
  counted: number;
  /** By reason. */
  refused: Record<string, number>;
  /** Files that were gone, cut or unreadable before they were read to their end. */
  lostFiles: number;
  /** Hours being collected; null where the input is already hourly. */
  pendingHours: number | null;
  caughtUp: boolean;
}

/** A recommendation that needs a person, or waits for something. */
export interface WaitingCase {
  id: string;
  short: string;
  rung: string;
  deadline: string;
  waitsFor: WaitReason;
  trouble: string | null;
}

/** Which of the member's keys are used where, by their names. */
export interface KeyStatus {
  current: string;
  /** Kept until every blinder takes the current one; null without a change of keys. */
  previous: string | null;
  /** Made by a change of keys that stopped half-way; null without one. */
  next: string | null;
  /** By door: the key it took last, null before it was asked since this process began. */
  inUse: Record<string, string | null>;
}

/** What `status --json`, `state/status.json` and `GET /status` say. */
export interface AgentStatus {
  member: string;
  /** By the agent's clock, ISO 8601. */
  at: string;
  pid: number;
  /**
   * Every byte of every input read, nothing waiting to be blinded, the spool empty, every complete hour sent. Hours not
   * complete yet are `pendingHours`.
   */
  caughtUp: boolean;
  inputs: InputStatus[];
  pendingHours: number;
  /** The table that network classes come from; null where the inputs alone say. */
  networkTable: { name: string; version: string; date: string } | null;
  /** The alliance's warning lists that count now, and when the hub was last followed (null: never). */
  warningLists: { syncedAt: string | null; lists: ListInUse[] };
  waitingRows: number;
  spooled: { batches: number; bytes: number };
  sent: { batches: number; accepted: number; rejected: number; byCode: Record<string, number>; setAside: number };
  recentRefusals: RefusedLine[];
  /** The blinding epoch that is sent in, and how far the change to the next has come. */
  epochs: EpochStatus;
  keys: KeyStatus;
  /** What goes wrong now, in words; empty when nothing does. */
  troubles: string[];
  receive: 'push' | 'poll';
  act: 'dry-run' | 'live';
  stopped: boolean;
  received: number;
  /** Recommendations with a result. */
  acted: number;
  executed: number;
  declined: number;
  superseded: number;
  /** Recommendations that `act: live` would act on, were it set. */
  dryRun: number;
  /** Outcomes that the hub has, those that are due, those that are due later, and those that it refused. */
  reported: number;
  toReport: number;
  toReportLater: number;
  reportsRefused: number;
  waiting: WaitingCase[];
}

/** The status at this moment, read from the running parts; inputs are looked at anew. */
export async function agentStatus(agent: Agent): Promise<AgentStatus> {
  const { collector, sender, spool, journal, actor, reporter, store, config } = agent;
  const now = agent.clock.now();
  const inputs = await Promise.all(
    agent.sources.map(async (source): Promise<InputStatus> => {
      const state = store.state.sources[source.id];
      const { lines, counted, refused, lostFiles } = state ?? { lines: 0, counted: 0, refused: {}, lostFiles: 0 };
      return { input: source.id, ...(await source.progress(now)), lines, counted, refused, lostFiles: lostFiles ?? 0 };
    }),
  );
  const cases = [...journal.cases.values()];
  const outcomes = cases.flatMap((c) => c.outcomes);
  const unreported = outcomes.filter((o) => !o.reported && o.refused === null);
  const open = cases.filter((c) => c.state !== 'done' && c.state !== 'superseded');
  const waiting = open.filter((c) => actor.waitsFor(c) !== 'dry-run').map((c) => waitingCase(c, actor));
  return {
    member: config.member,
    at: new Date(now).toISOString(),
    pid: process.pid,
    caughtUp: await agent.caughtUp(),
    inputs,
    pendingHours: inputs.reduce((sum, input) => sum + (input.pendingHours ?? 0), 0),
    networkTable: tableStatus(agent),
    warningLists: { syncedAt: agent.lists.syncedAt, lists: agent.lists.inUse(now) },
    waitingRows: collector.waitingRows,
    spooled: { batches: spool.batches, bytes: spool.bytes },
    sent: store.state.sent,
    recentRefusals: agent.refused.recent,
    troubles: [
      collector.blinderTrouble,
      collector.readingTrouble,
      sender.trouble,
      reporter.trouble,
      agent.lists.trouble,
      ...agent.faults.values(),
      agent.epochs.trouble,
    ].filter((t) => t !== null),
    epochs: agent.epochs.status,
    keys: await keyStatus(agent),
    receive: config.receive,
    act: config.acting.mode,
    stopped: agent.switches.stopped,
    received: cases.length,
    acted: cases.filter((c) => c.state === 'done').length,
    executed: outcomes.filter((o) => o.outcome === 'executed').length,
    declined: outcomes.filter((o) => o.outcome === 'declined').length,
    superseded: cases.filter((c) => c.state === 'superseded').length,
    reported: outcomes.filter((o) => o.reported).length,
    toReport: unreported.filter((o) => o.at <= now).length,
    toReportLater: unreported.filter((o) => o.at > now).length,
    reportsRefused: outcomes.filter((o) => o.refused !== null).length,
    dryRun: open.length - waiting.length,
    waiting,
  };
}

function tableStatus({ labels }: Agent): AgentStatus['networkTable'] {
  if (labels.tableInfo === null) return null;
  const { name, version, date } = labels.tableInfo;
  return { name, version, date: new Date(date).toISOString().slice(0, 10) };
}

async function keyStatus({ doors }: Agent): Promise<KeyStatus> {
  const { current, next, previous } = await doors.keys.look();
  const blinders = doors.blinders.map((blinder) => [blinder.label, blinder.keyInUse] as const);
  return {
    current: current.name,
    previous: previous?.name ?? null,
    next: next?.name ?? null,
    inUse: { hub: doors.hub.keyInUse, ...Object.fromEntries(blinders) },
  };
}

/** The keys for people. */
function formatKeys({ current, previous, next, inUse }: KeyStatus): string {
  const where = Object.entries(inUse).map(([door, key]) => `${door}: ${key ?? 'not asked yet'}`);
  return (
    `  key: ${current} (in use at the ${where.join(', ')})` +
    (previous === null ? '' : `; ${previous} is kept until every blinder takes the new key`) +
    (next === null ? '' : `; a change to ${next} is not finished: run \`rotate-key\``)
  );
}

function waitingCase(item: Case, actor: Actor): WaitingCase {
  return {
    id: item.id,
    short: shortToken(decodeToken(item.token)),
    rung: item.payload.rung,
    deadline: item.payload.deadline,
    waitsFor: actor.waitsFor(item) ?? 'trying again later',
    trouble: item.trouble,
  };
}

function listText({ name, version, entries, updatedAt, expiresAt }: ListInUse): string {
  return `${name} version ${version} of ${day(updatedAt)}, ${entries} entries, until ${day(expiresAt)}`;
}

const day = (time: string) => time.slice(0, 10);

/** The status for people. */
export function formatStatus(s: AgentStatus): string {
  const lines = [
    `${s.member}, ${s.at}: ${s.caughtUp ? 'everything has been sent' : 'not everything has been sent yet'}`,
    ...s.inputs.map((i) => {
      const refused = Object.entries(i.refused).map(([reason, n]) => `${n} ${reason}`);
      const hours = i.pendingHours === null ? '' : `, ${i.pendingHours} hours still open`;
      return (
        `  ${i.input}: ${i.bytesRead} of ${i.size} bytes, ${i.lines} lines, ${i.counted} counted` +
        `${refused.length > 0 ? `, refused: ${refused.join(', ')}` : ''}` +
        `${i.lostFiles > 0 ? `, ${i.lostFiles} files not read to their end` : ''}${hours}`
      );
    }),
    `  network classes: ${s.networkTable === null ? 'as the inputs say' : `${s.networkTable.name} of ${s.networkTable.date} where the inputs do not say`}`,
    `  warning lists: ${s.warningLists.lists.length === 0 ? 'none' : ''}${s.warningLists.lists.map(listText).join('; ')}` +
      ` (followed ${s.warningLists.syncedAt ?? 'never yet'})`,
    `  waiting for the blinder: ${s.waitingRows} rows; spooled: ${s.spooled.batches} batches, ${s.spooled.bytes} bytes`,
    `  sent: ${s.sent.batches} batches, ${s.sent.accepted} rows accepted, ${s.sent.rejected} rejected` +
      Object.entries(s.sent.byCode).map(([code, n]) => `, ${n} ${code}`).join('') +
      (s.sent.setAside > 0 ? `, ${s.sent.setAside} batches set aside` : ''),
    `  received: ${s.received} recommendations (${s.receive}); acted on: ${s.acted} (${s.executed} executed, ` +
      `${s.declined} declined), superseded: ${s.superseded}, dry-run: ${s.dryRun}`,
    `  outcomes: ${s.reported} reported, ${s.toReport} to report, ${s.toReportLater} later, ${s.reportsRefused} refused by the hub`,
    formatKeys(s.keys),
    `  acting: ${s.stopped ? 'STOPPED (`stop --resume` goes on)' : s.act}`,
  ]; // prettier-ignore
  for (const w of s.waiting.slice(0, 20))
    lines.push(
      `  ${w.rung} ${w.id} (key ${w.short}, until ${w.deadline}): ${w.waitsFor}${w.trouble ? `: ${w.trouble}` : ''}`,
    );
  if (s.waiting.length > 20) lines.push(`  … and ${s.waiting.length - 20} more that wait`);
  for (const trouble of s.troubles) lines.push(`  ! ${trouble}`);
  return lines.join('\n');
}
