import type { InputConfig } from '../config/agent-config.js';
import type { AgentState, GatewayState, KeysState, UsageState } from '../state/agent-state.js';
import type { PartFiles } from '../state/part-files.js';
import { GatewaySource } from './gateway-source.js';
import { KeysSource } from './keys-source.js';
import type { Source } from './source.js';
import { UsageSource } from './usage-source.js';

/** The source of an input, going on where the state says. */
export async function openSource(input: InputConfig, state: Readonly<AgentState>, parts: PartFiles): Promise<Source> {
  const known = state.sources[`${input.kind} ${input.path}`];
  switch (input.kind) {
    case 'usage':
      return new UsageSource(input.path, known as UsageState | undefined);
    case 'keys':
      return KeysSource.open(input.path, known as KeysState | undefined, parts);
    case 'gateway':
      return GatewaySource.open(input.path, input.mapping, known as GatewayState | undefined, parts);
  }
}
