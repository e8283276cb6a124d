import { BongsuError } from '@app/protocol';
import type { HubApi } from '../api/hub-api.js';
import type { AgentStatus, Exchange } from './exchange.js';

const LOOK_EVERY_MS = 150;
const PATIENCE_MS = 300_000;

/**
 * Waits until everything that was fed has gone all the way: read, sent, folded, assessed, delivered, acted on and
 * reported back. Looks at the agents' and the hub's doors only.
 * @throws {BongsuError} UNAVAILABLE when nothing moved for five minutes, with what is stuck
 */
export async function settle(exchanges: readonly Exchange[], staff: HubApi): Promise<void> {
  let last = '';
  let movedAt = performance.now();
  let quiet = 0;
  for (;;) {
    const stuck = await whatIsUnderWay(exchanges, staff);
    // Twice in a row: what one look saw leave the agents, the next must see arrive.
    quiet = stuck.length === 0 ? quiet + 1 : 0;
    if (quiet === 2) return;
    const picture = stuck.join('; ');
    if (picture !== last) [last, movedAt] = [picture, performance.now()];
    if (performance.now() - movedAt > PATIENCE_MS)
      throw new BongsuError('UNAVAILABLE', `Nothing has moved for five minutes: ${picture}.`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function whatIsUnderWay(exchanges: readonly Exchange[], staff: HubApi): Promise<string[]> {
  const statuses = await Promise.all(
    exchanges.map(async (e): Promise<[string, AgentStatus]> => [e.name, await e.status()]),
  );
  const stuck = statuses
    .filter(([, s]) => !s.caughtUp || s.toReport > 0 || (s.act === 'live' && s.waiting.length > 0))
    .map(
      ([name, s]) =>
        `${name}: ${s.sent.accepted} sent, ${s.waiting.length} to act on, ${s.toReport} to report ${s.troubles.join(', ')}`,
    );
  if (stuck.length > 0) return stuck;
  const { backlog } = await staff.query<{ backlog: Record<string, number> }>(
    '{ backlog { batchesToFold keysToAssess outcomesToApply deliveriesPending } }',
  );
  return Object.entries(backlog)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `hub: ${name} ${count}`);
}
