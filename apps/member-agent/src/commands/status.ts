import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BongsuError } from '@app/member-sdk';
import { Agent } from '../agent.js';
import { agentStatus, formatStatus, type AgentStatus } from '../status.js';
import { commandContext, say, type ConfigOption } from './context.js';

/** `status`: what was sent, refused and why, what waits, what came back. */
export async function status(options: ConfigOption & { json?: boolean }): Promise<void> {
  const { config, clock } = await commandContext(options);
  let found: AgentStatus;
  try {
    const agent = await Agent.open(config, clock, config.inputs, say);
    try {
      found = await agentStatus(agent);
    } finally {
      await agent.close();
    }
  } catch (error) {
    if (!(error instanceof BongsuError) || error.code !== 'UNAVAILABLE') throw error;
    // An agent works on the folder: its own word is the latest, as soon as it has one.
    const text = await readFile(join(config.stateDir, 'status.json'), 'utf8').catch(() => null);
    if (text === null) throw error;
    found = JSON.parse(text) as AgentStatus;
  }
  console.log(options.json ? JSON.stringify(found, null, 2) : formatStatus(found));
}
