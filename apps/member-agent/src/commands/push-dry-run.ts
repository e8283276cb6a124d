import { tmpdir } from 'node:os';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@app/infrastructure/clock';
import { decodeColumns, encodeToken, toRows } from '@app/member-sdk';
import { Agent } from '../agent.js';
import type { AgentConfig, InputConfig } from '../config/agent-config.js';
import { WarningLists } from '../lists/warning-lists.js';
import { exists } from '../state/files.js';
import { agentStatus } from '../status.js';
import { say } from './context.js';

/**
 * `push --dry-run`: does everything but send, in a state folder of its own that is removed afterwards. The blinder is
 * asked, since there is no token without it; the hub is not, and warning lists are those that came last.
 * @param show prints what would leave: the bytes (base64) and what they say
 */
export async function dryRun(config: AgentConfig, clock: Clock, inputs: InputConfig[], show: boolean): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'bongsu-dry-run-'));
  const lists = WarningLists.folderIn(config.stateDir);
  if (await exists(lists)) await cp(lists, WarningLists.folderIn(stateDir), { recursive: true });
  const agent = await Agent.open({ ...config, stateDir }, clock, inputs, say);
  try {
    while (await agent.collector.round(true));
    await agent.collector.commit();
    const status = await agentStatus(agent);
    for (const input of status.inputs) {
      console.log(`${input.input}: ${input.lines} lines, ${input.counted} counted`);
      for (const [reason, count] of Object.entries(input.refused)) console.log(`  ${reason}: ${count}`);
    }
    if (status.waitingRows > 0)
      console.log(`${status.waitingRows} rows wait for the blinder: ${status.troubles.join(' ')}`);
    for (const number of agent.spool.numbers()) {
      const { header, compact } = await agent.spool.read(number);
      console.log(`batch ${number}: ${JSON.stringify(header)}, ${compact.length} bytes`);
      if (!show) continue;
      console.log(Buffer.from(compact).toString('base64'));
      const rows = toRows(decodeColumns(compact));
      const text = (_: string, value: unknown) => (value instanceof Uint8Array ? encodeToken(value) : value);
      for (const section of ['keyFacts', 'allowEntries', 'observations'] as const)
        for (const row of rows[section]) console.log(`${section} ${JSON.stringify(row, text)}`);
    }
    console.log('Nothing was sent.');
  } finally {
    await agent.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}
