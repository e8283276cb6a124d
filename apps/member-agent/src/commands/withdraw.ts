import { openDoors } from '../agent.js';
import { commandContext, say, type ConfigOption } from './context.js';

/** `withdraw ID`: takes a batch back; its rows no longer stand at the hub. */
export async function withdraw(batchId: string, options: ConfigOption & { reason: string }): Promise<void> {
  const { config } = await commandContext(options);
  const { hub } = await openDoors(config);
  try {
    const receipt = await hub.withdrawBatch(batchId, options.reason);
    console.log(JSON.stringify(receipt, null, 2));
    say('Withdrawn. A corrected batch is sent like any other, with a higher sequence number.');
  } finally {
    await hub.close();
  }
}
