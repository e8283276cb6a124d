import { Agent } from '../agent.js';
import { Poller } from '../receive/poller.js';
import { agentStatus, formatStatus } from '../status.js';
import { commandContext, say, type ConfigOption } from './context.js';

/** `pull`: fetches what waits at the hub, acts on it as configured, reports, ends. */
export async function pull(options: ConfigOption): Promise<void> {
  const { config, clock } = await commandContext(options);
  const agent = await Agent.open(config, clock, [], say);
  try {
    const poller = new Poller(agent.doors.hub, agent.receiver, say);
    const received = await poller.round(0);
    await agent.actAndReport();
    console.log(`${received} events received`);
    console.log(formatStatus(await agentStatus(agent)));
    if (poller.trouble !== null || agent.reporter.trouble !== null) process.exitCode = 1;
  } finally {
    await agent.close();
  }
}
