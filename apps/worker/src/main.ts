import { clockFromEnv } from '@app/infrastructure/clock';
import { onStop, runMain, sayReady } from '@app/infrastructure/config';
import { startWorker } from './start-worker.js';
import { readWorkerConfig } from './worker-config.js';

await runMain('worker', async () => {
  const { config, secrets } = readWorkerConfig(process.env);
  const worker = await startWorker(config, secrets, clockFromEnv(process.env));
  onStop(() => worker.stop());
  sayReady();
});
