import { resolve } from 'node:path';
import { BongsuError } from '@app/member-sdk';
import { Agent } from '../agent.js';
import type { AgentConfig, InputConfig } from '../config/agent-config.js';
import { Section } from '../config/reader.js';
import { PRESET_NAMES, readGatewayMapping } from '../input/gateway-mapping.js';
import { exists } from '../state/files.js';
import { agentStatus } from '../status.js';
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
    await report(agent);
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

async function report(agent: Agent): Promise<void> {
  const status = await agentStatus(agent);
  for (const input of status.inputs) {
    const refused = Object.values(input.refused).reduce((a, b) => a + b, 0);
    console.log(`${input.input}: ${input.lines} lines read, ${input.counted} counted, ${refused} refused`);
    for (const [reason, count] of Object.entries(input.refused)) console.log(`  ${reason}: ${count}`);
  }
  for (const r of status.recentRefusals) console.log(`  line ${r.line} of ${r.source}: ${r.reason}`);
  if (status.recentRefusals.length > 0) console.log(`  (every refused line: ${agent.config.stateDir}/refused.jsonl)`);
  const { sent } = status;
  console.log(`sent: ${sent.batches} batches, ${sent.accepted} rows accepted, ${sent.rejected} rejected by the hub`);
  for (const [code, count] of Object.entries(sent.byCode)) console.log(`  ${code}: ${count}`);
  if (sent.setAside > 0) {
    console.log(`  ${sent.setAside} batches refused whole, see ${agent.config.stateDir}/set-aside`);
    process.exitCode = 1;
  }
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
