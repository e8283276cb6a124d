import { resolve } from 'node:path';
import { BongsuError } from '@app/member-sdk';
import { Agent } from '../agent.js';
import type { AgentConfig, InputConfig } from '../config/agent-config.js';
import { Section } from '../config/reader.js';
import { PRESET_NAMES, readGatewayMapping } from '../input/gateway-mapping.js';
import { exists } from '../state/files.js';
import { agentStatus, type AgentStatus } from '../status.js';
import { commandContext, say, type ConfigOption } from './context.js';
import { dryRun } from './push-dry-run.js';

export interface PushOptions extends ConfigOption {
  usage?: string[];
  keys?: string[];
  gateway?: string;
  preset?: string;
  dryRun?: boolean;
  show?: boolean;
}

/** `push`: reads files to their end and sends everything, once. */
export async function push(options: PushOptions): Promise<void> {
  const { config, clock } = await commandContext(options);
  const inputs = inputsOf(options, config);
  for (const { path } of inputs)
    if (path !== '-' && !(await exists(path)))
      throw new BongsuError('NOT_FOUND', `${path} does not exist, or its folder may not be seen by this user.`, path);
  if (options.dryRun) return dryRun(config, clock, inputs, options.show === true);
  const agent = await Agent.open(config, clock, inputs, say);
  await agent.followLists();
  const before = await agentStatus(agent);
  const piped = inputs.some((input) => input.path === '-');
  let interrupted = false;
  const interrupt = () => (interrupted = true);
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let more = true;
  try {
    while (!interrupted && (more || !(await done(agent)))) {
      more = await agent.collector.round(true, piped);
      const sent = await agent.sender.drain(() => interrupted);
      if (!more && (!sent || !agent.collector.idle)) await new Promise((next) => setTimeout(next, 300));
    }
    if (interrupted && piped && more) {
      say('Interrupted: nothing of the pipe was counted; pipe it again.');
      process.exitCode = 130;
      return;
    }
    await agent.collector.commit();
    await report(agent, before);
    if (agent.lists.trouble !== null) say(agent.lists.trouble);
    if (interrupted) {
      say('Interrupted: what was read is in the spool and is sent by the next `push` or `run`.');
      process.exitCode = 130;
    }
  } finally {
    await agent.close();
  }
}

async function done(agent: Agent): Promise<boolean> {
  return agent.collector.idle && agent.spool.batches === 0;
}

/** What this run did; what the agent did in all, `status` tells. */
async function report(agent: Agent, before: AgentStatus): Promise<void> {
  const now = await agentStatus(agent);
  let counted = 0;
  let refused = 0;
  for (const input of now.inputs) {
    const was = before.inputs.find((other) => other.input === input.input);
    const reasons = Object.entries(input.refused)
      .map(([reason, count]) => ({ reason, count: count - (was?.refused[reason] ?? 0) }))
      .filter(({ count }) => count > 0);
    const refusedHere = reasons.reduce((sum, { count }) => sum + count, 0);
    const countedHere = input.counted - (was?.counted ?? 0);
    const lines = input.lines - (was?.lines ?? 0);
    console.log(`${input.input}: ${lines} lines read, ${countedHere} counted, ${refusedHere} refused`);
    for (const { reason, count } of reasons) console.log(`  ${reason}: ${count}`);
    counted += countedHere;
    refused += refusedHere;
  }
  if (refused > 0) {
    for (const r of now.recentRefusals.slice(-refused)) console.log(`  line ${r.line} of ${r.source}: ${r.reason}`);
    console.log(`  (every refused line: ${agent.config.stateDir}/refused.jsonl)`);
  }
  const since = (of: (sent: AgentStatus['sent']) => number) => of(now.sent) - of(before.sent);
  const batches = since((sent) => sent.batches);
  console.log(
    `sent: ${batches} ${batches === 1 ? 'batch' : 'batches'}, ${since((sent) => sent.accepted)} rows accepted, ` +
      `${since((sent) => sent.rejected)} rejected by the hub`,
  );
  for (const code of Object.keys(now.sent.byCode)) {
    const count = since((sent) => sent.byCode[code] ?? 0);
    if (count > 0) console.log(`  ${code}: ${count}`);
  }
  const setAside = since((sent) => sent.setAside);
  if (setAside > 0) console.log(`  ${setAside} batches refused whole, see ${agent.config.stateDir}/set-aside`);
  // Nothing that could be used is a failure: most often the wrong file, or the wrong mapping.
  if (setAside > 0 || (counted === 0 && refused > 0)) process.exitCode = 1;
}

/** The files named, or without any the configuration's own inputs. */
function inputsOf(options: PushOptions, config: AgentConfig): InputConfig[] {
  const inputs: InputConfig[] = [
    ...(options.keys ?? []).map((path): InputConfig => ({ kind: 'keys', path: resolve(path) })),
    ...(options.usage ?? []).map((path): InputConfig => ({ kind: 'usage', path: resolve(path) })),
  ];
  if (options.gateway !== undefined) inputs.push(gatewayInput(options.gateway, options.preset, config));
  if (inputs.length === 0 && config.inputs.length === 0)
    throw new BongsuError(
      'CONFIG_INVALID',
      'Name a file with --usage, --keys or --gateway, or set `inputs`.',
      '--usage',
    );
  return inputs.length === 0 ? config.inputs : inputs;
}

/** A gateway log is mapped as the configuration's input of that path is, or its only one, or by the preset named. */
function gatewayInput(file: string, preset: string | undefined, config: AgentConfig): InputConfig {
  const path = file === '-' ? '-' : resolve(file);
  const configured = config.inputs.filter((input) => input.kind === 'gateway');
  if (preset !== undefined)
    return { kind: 'gateway', path, mapping: readGatewayMapping(Section.of({ preset }, '--preset')) };
  const found =
    configured.find((input) => input.path === path) ?? (configured.length === 1 ? configured[0] : undefined);
  if (found) return { ...found, path };
  throw new BongsuError(
    'CONFIG_INVALID',
    `How is ${file} to be read? Name a --preset (${PRESET_NAMES.filter((n) => n !== 'none').join(', ')}), or give the ` +
      'configuration an input `gateway` with `fields`.',
    '--preset',
  );
}
