import { onStop, sayReady } from '@app/infrastructure/config';
import { createLogger } from '@app/infrastructure/logging';
import { Agent } from '../agent.js';
import { RunLoop } from '../run-loop.js';
import { commandContext, type ConfigOption } from './context.js';

/** `run`: everything, continuously, until it is ended. */
export async function run(options: ConfigOption): Promise<void> {
  const { config, clock } = await commandContext(options);
  const log = createLogger('member-agent');
  const note = (text: string) => log.warn({ member: config.member }, text);
  const agent = await Agent.open(config, clock, config.inputs, note, (about, text) =>
    log.info({ member: config.member, ...about }, text),
  );
  const loop = new RunLoop(agent, note);
  try {
    await loop.start();
  } catch (error) {
    await agent.close();
    throw error;
  }
  onStop(() => loop.stop());
  log.info(
    { member: config.member, inputs: config.inputs.length, receive: config.receive, act: config.acting.mode },
    `agent of ${config.member} runs${loop.url === null ? '' : `; its door is ${loop.url}`}`,
  );
  sayReady(loop.url ?? undefined);
  await new Promise(() => {});
}
