import { clockFromEnv, type Clock } from '@app/infrastructure/clock';
import { readAgentConfig, type AgentConfig } from '../config/agent-config.js';

/** The option that every command has. */
export interface ConfigOption {
  config: string;
}

/** Reads the configuration and the clock that a command works with. */
export async function commandContext(options: ConfigOption): Promise<{ config: AgentConfig; clock: Clock }> {
  const clock = clockFromEnv(process.env);
  return { config: await readAgentConfig(options.config), clock };
}

/** Prints a line for the person at the terminal; standard output is for results. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
